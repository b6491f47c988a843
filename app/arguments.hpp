// Parsing of one command's arguments, with errors as engine::Error: one line that names the argument and what
// was expected. CLI11 does the work; numbers are read strictly (no "1e3" for a count, no NaN, no silent
// overflow).
#pragma once

#include <CLI/CLI.hpp>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/console.hpp"
#include "engine/events/result.hpp"

namespace app {

using Arguments = std::span<const std::string>;

enum class Parsed { run, done };  // done: help or the version was asked for and is printed

// Parses and prints `--help` and `--version`.
engine::Result<Parsed> parse_arguments(CLI::App& command, Arguments arguments, Console& console);

std::string version_line();

// Whole decimal numbers in [low, high]; nothing else in the text.
std::optional<std::int64_t> parse_integer(std::string_view text, std::int64_t low, std::int64_t high);
std::optional<std::uint64_t> parse_unsigned(std::string_view text);
// A finite decimal number.
std::optional<double> parse_real(std::string_view text);

struct RealRange {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_excluded = false;
  const char* expected = "a finite number";
};

inline constexpr std::int64_t kMaxInt32 = std::numeric_limits<std::int32_t>::max();

namespace detail {
std::int64_t checked_integer(const std::string& name, const std::string& text, std::int64_t low,
                             std::int64_t high);
double checked_real(const std::string& name, const std::string& text, const RealRange& range);
std::uint64_t checked_unsigned(const std::string& name, const std::string& text);
std::vector<std::int64_t> checked_list(const std::string& name, const std::string& text, std::int64_t low,
                                       std::int64_t high);
std::vector<double> checked_real_list(const std::string& name, const std::string& text,
                                      const RealRange& range);
std::vector<std::string> checked_names(const std::string& name, const std::string& text);
}  // namespace detail

// `target` may be a number or a std::optional of one.
template <typename T>
CLI::Option* add_integer(CLI::App& command, const std::string& name, T& target, std::int64_t low,
                         std::int64_t high, const std::string& description) {
  return command
      .add_option_function<std::string>(
          name,
          [&target, name, low, high](const std::string& text) {
            target = static_cast<std::int32_t>(detail::checked_integer(name, text, low, high));
          },
          description)
      ->type_name("N");
}

template <typename T>
CLI::Option* add_real(CLI::App& command, const std::string& name, T& target, const RealRange& range,
                      const std::string& description) {
  return command
      .add_option_function<std::string>(
          name,
          [&target, name, range](const std::string& text) {
            target = detail::checked_real(name, text, range);
          },
          description)
      ->type_name("X");
}

// Lists have at least one item, and no item twice: "0,512,4096".
CLI::Option* add_integer_list(CLI::App& command, const std::string& name, std::vector<std::int32_t>& target,
                              std::int64_t low, std::int64_t high, const std::string& description);
// "0.5,2,8"
CLI::Option* add_real_list(CLI::App& command, const std::string& name, std::vector<double>& target,
                           const RealRange& range, const std::string& description);
// "dense,dms". `target` may be a vector or a std::optional of one; what the names may be is checked
// elsewhere.
template <typename T>
CLI::Option* add_name_list(CLI::App& command, const std::string& name, T& target,
                           const std::string& description) {
  return command
      .add_option_function<std::string>(
          name, [&target, name](const std::string& text) { target = detail::checked_names(name, text); },
          description)
      ->type_name("NAME,...");
}

}  // namespace app
