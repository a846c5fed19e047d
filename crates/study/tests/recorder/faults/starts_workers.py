# SD009 RefusedError line 4: tried to start another process or program
import multiprocessing

multiprocessing.get_context("fork").Process(target=print).start()
