"""Something happens in the quarter and everybody is welcome."""
