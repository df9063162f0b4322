from tests.github import github, key_server

__all__ = ["github", "key_server"]
