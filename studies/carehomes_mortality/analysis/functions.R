# What both scripts share: reading, counts that may be shown, tables as text, figures.

HIDE_UP_TO <- 7
ROUND_TO <- 5
HIDDEN <- "[REDACTED]"

# Read a csv file as text; an empty cell is missing. "NA" is text like any other.
read_text <- function(path, columns) {
  table <- read.csv(path, colClasses = "character", na.strings = "", check.names = FALSE)
  missing <- setdiff(columns, names(table))
  if (length(missing) > 0) {
    stop(path, " has no column ", paste(missing, collapse = ", "), call. = FALSE)
  }
  table
}

# Counts as they may be shown: missing if HIDE_UP_TO or fewer, else rounded.
shown <- function(count) {
  ifelse(count <= HIDE_UP_TO, NA, ROUND_TO * floor((count + ROUND_TO / 2) / ROUND_TO))
}

as_count <- function(count) {
  rounded <- shown(count)
  ifelse(is.na(rounded), HIDDEN, sprintf("%d", as.integer(rounded)))
}

# 100 x part / whole with one decimal, both rounded first; hidden if either is.
as_percent <- function(part, whole) {
  ratio <- 100 * shown(part) / shown(whole)
  ifelse(is.na(ratio), HIDDEN, sprintf("%.1f", ratio))
}

# Write a table of text, tab separated.
write_text_table <- function(table, path) {
  dir.create(dirname(path), showWarnings = FALSE, recursive = TRUE)
  write.table(table, path, sep = "\t", quote = FALSE, row.names = FALSE, na = "")
  cat("written:", path, "\n")
}

# Draw a figure as png without a display.
with_png <- function(path, draw) {
  if (!capabilities("cairo")) {
    stop("this R cannot draw png files without a display: it lacks cairo", call. = FALSE)
  }
  dir.create(dirname(path), showWarnings = FALSE, recursive = TRUE)
  png(path, width = 900, height = 600, res = 110, type = "cairo")
  on.exit(dev.off())
  draw()
  cat("written:", path, "\n")
}

# Send what a script prints to a log file, from now to its end.
start_log <- function(path) {
  dir.create(dirname(path), showWarnings = FALSE, recursive = TRUE)
  sink(path)
}

# The input paths given on the command line.
input_paths <- function(names) {
  paths <- commandArgs(trailingOnly = TRUE)
  if (length(paths) != length(names)) {
    stop("expected arguments: ", paste(names, collapse = " "), call. = FALSE)
  }
  absent <- paths[!file.exists(paths)]
  if (length(absent) > 0) {
    stop("no such file: ", paste(absent, collapse = ", "), call. = FALSE)
  }
  paths
}
