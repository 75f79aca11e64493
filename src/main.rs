//! The binary `proffer`: reads the command line and hands over. Nothing is decided here.

fn main() {}
