# Share of each area's people who are registered at a practice whose records we hold.
# Arguments: extracted people (age, msoa), population of each area.

source("analysis/functions.R")
paths <- input_paths(c("INPUT_COVERAGE.csv", "MSOA_POP.csv"))
start_log("analysis/logfiles/calculate_tpp_coverage.txt")

people <- read_text(paths[1], c("age", "msoa"))
areas <- read_text(paths[2], c("msoa", "population", "population_65_and_over"))
if (anyDuplicated(areas$msoa)) stop("an area occurs twice in ", paths[2], call. = FALSE)

known <- people[people$msoa %in% areas$msoa, ]
count_by_area <- function(codes) as.integer(table(factor(codes, levels = areas$msoa)))

coverage <- data.frame(
  msoa = areas$msoa,
  population = as.integer(areas$population),
  registered = count_by_area(known$msoa),
  population_65_and_over = as.integer(areas$population_65_and_over),
  registered_65_and_over = count_by_area(known$msoa[as.integer(known$age) >= 65])
)
percent <- function(part, whole) ifelse(whole > 0, round(100 * part / whole, 2), NA)
coverage$coverage <- percent(coverage$registered, coverage$population)
coverage$coverage_65_and_over <-
  percent(coverage$registered_65_and_over, coverage$population_65_and_over)

dir.create("data", showWarnings = FALSE)
write.csv(coverage, "data/tpp_msoa_coverage.csv", row.names = FALSE, quote = FALSE, na = "")

cat("People extracted:", as_count(nrow(people)), "\n")
cat("of these without a known area:", as_count(nrow(people) - nrow(known)), "\n")
cat("Areas:", nrow(areas), "\n")
cat("Coverage of the areas in percent, quartiles:",
    paste(round(quantile(coverage$coverage, c(0.25, 0.5, 0.75), na.rm = TRUE)), collapse = ", "),
    "\n")
cat("Areas with a coverage of 80 percent or more:",
    sum(coverage$coverage >= 80, na.rm = TRUE), "\n")
