# SD003 ModuleNotFoundError line 2: No module named 'not_there'
import not_there
