//! Geometry, colours, words and bytes of charts.
//! x
