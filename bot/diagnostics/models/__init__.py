"""`python -m bot models`: list the model files, compare them with RunComfy, add one."""
