"""Who is watched: the service files, and the plain facts every other package builds on."""
