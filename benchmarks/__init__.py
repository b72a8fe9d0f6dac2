"""Our speed beside PyTorch's and beside the code that learners copy: `make bench`."""
