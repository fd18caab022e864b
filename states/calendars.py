"""temporary"""
from datetime import date, timedelta
class WorkingCalendar:
    def __init__(self, extra_holidays=(), closures=()):
        self._m={}
    def is_working(self, d): return d.weekday()<5
    def add_working_days(self, day, n):
        k=(day,n)
        if k in self._m: return self._m[k]
        d=day
        while n>0:
            d+=timedelta(1)
            if self.is_working(d): n-=1
        self._m[k]=d
        return d
    def subtract_working_days(self, day,n):
        d=day
        while n>0:
            d-=timedelta(1)
            if self.is_working(d): n-=1
        return d
    def working_days_between(self,a,b):
        return sum(1 for i in range(1,(b-a).days+1) if self.is_working(a+timedelta(i)))
    def add_calendar(self, day, n): return day+timedelta(n)
def add_months(first, n):
    m=first.month-1+n; y=first.year+m//12; m=m%12+1
    import calendar
    return date(y,m,min(first.day,calendar.monthrange(y,m)[1]))
