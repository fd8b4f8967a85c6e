"""Makes the bundled demo model and its sample conversations from nothing, offline.

``python -m tools.demo_model --help`` lists the commands; README.md tells what they need and reach.
"""
