from django.urls import path

from botpenguin.platform.api.v7 import api

urlpatterns = [path("v7/", api.urls)]
