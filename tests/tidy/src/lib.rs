//! Rules of the house that run as tests. Not here: formatting and lints, which have tools of their own.
