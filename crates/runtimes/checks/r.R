# What a study may count on in an r runtime. Stops at the first thing that is not so.
packages <- c(
  "tidyverse", "ggplot2", "dplyr", "readr", "tidyr", "purrr", "stringr", "forcats", "tibble", "lubridate", "here", "glue", "fs",
  "jsonlite", "yaml", "survival", "data.table", "knitr", "rmarkdown", "optparse", "rlang", "broom", "survminer",
  "lme4", "mice", "splines", "scales", "patchwork", "cowplot", "zoo", "rms", "Hmisc", "DBI", "plotly", "rvest"
)
for (package in packages) {
  suppressPackageStartupMessages(library(package, character.only = TRUE))
  cat(package, as.character(packageVersion(package)), "\n")
}
frame <- tibble(sex = c("F", "M", "F"), age = c(31, 47, 64))
means <- frame |> group_by(sex) |> dplyr::summarise(age = mean(age), .groups = "drop")
stopifnot(identical(means$age, c(47.5, 47)))
write_csv(frame, "frame.csv")
stopifnot(identical(read_csv("frame.csv", show_col_types = FALSE)$age, frame$age))
suppressMessages(ggsave("plot.png", ggplot(frame, aes(sex, age)) + geom_col()))
ggsave("plot.svg", ggplot(frame, aes(sex, age)) + geom_col(), width = 4, height = 3)
stopifnot(file.size("plot.png") > 1000)
fit <- survival::coxph(Surv(time, status) ~ age, data = survival::lung)
stopifnot(abs(coef(fit) - 0.01872) < 1e-4)
stopifnot(all.equal(solve(matrix(c(2, 0, 0, 4), 2)), matrix(c(0.5, 0, 0, 0.25), 2)))
stopifnot(here::here() == "/workspace")
stopifnot(!file.create(file.path(R.home(), "written"), showWarnings = FALSE))
cat("all of it works on", R.version.string, "\n")
