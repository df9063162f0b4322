"""The URLs of a project that has the panel and no contacts to test with."""

from botpenguin import urls

urlpatterns = [pattern for pattern in urls.urlpatterns if getattr(pattern, "name", "") != "contacts-to-test"]
