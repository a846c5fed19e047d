# SD009 RefusedError line 4: tried to reach a network
import urllib.request

urllib.request.urlopen("http://example.org/")
