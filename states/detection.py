"""temporary"""
from pydantic import BaseModel
class DetectionParameters(BaseModel):
    pass
