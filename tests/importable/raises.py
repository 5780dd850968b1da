raise RuntimeError("this module has a bad day")
