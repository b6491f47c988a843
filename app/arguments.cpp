#include "app/arguments.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace app {

namespace {

template <typename T>
std::optional<T> parse_whole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "'" : " '") + word + "'";
  return text;
}

// CLI11's wording, made to name the argument and to fit one line.
std::string message_of(const CLI::App& command, const CLI::ParseError& error) {
  // By type: the name that CLI11 gives this error differs between its versions.
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    return fmt::format("unknown or misplaced argument {}", joined(command.remaining()));
  }
  if (error.get_name() == "ArgumentMismatch")
    return fmt::format("{} (a value missing or one too many)", error.what());
  return error.what();
}

bool is_inside(double value, const RealRange& range) {
  return value <= range.high && (range.low_excluded ? value > range.low : value >= range.low);
}

// The items between commas, each once; an empty text is one empty item, which `parse` refuses.
template <typename T, typename Parse>
std::vector<T> distinct_items(const std::string& text, const Parse& parse) {
  std::vector<T> values;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const T value = parse(text.substr(begin, end - begin));
    if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(value);
    begin = end + 1;
  }
  return values;
}

}  // namespace

std::string version_line() {
  return fmt::format("dmscope {}", DMSCOPE_VERSION);
}

engine::Result<Parsed> parse_arguments(CLI::App& command, Arguments arguments, Console& console) {
  command.get_formatter()->column_width(28);
  command.set_version_flag("--version", version_line(), "Print the version and exit");
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    command.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    console.out() << command.help();
    return Parsed::done;
  } catch (const CLI::CallForVersion&) {
    console.out() << version_line() << '\n';
    return Parsed::done;
  } catch (const CLI::ParseError& error) {
    console.later(fmt::format("Run '{} --help' for its options.", command.get_name()));
    return engine::bad_input("{}", message_of(command, error));
  }
  return Parsed::run;
}

std::optional<std::int64_t> parse_integer(std::string_view text, std::int64_t low, std::int64_t high) {
  const auto value = parse_whole<std::int64_t>(text);
  if (!value || *value < low || *value > high) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  return parse_whole<std::uint64_t>(text);
}

std::optional<double> parse_real(std::string_view text) {
  const auto value = parse_whole<double>(text);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return value;
}

namespace detail {

std::int64_t checked_integer(const std::string& name, const std::string& text, std::int64_t low,
                             std::int64_t high) {
  const auto value = parse_integer(text, low, high);
  if (value) return *value;
  throw CLI::ValidationError(name,
                             fmt::format("expected a whole number from {} to {}, got '{}'", low, high, text));
}

double checked_real(const std::string& name, const std::string& text, const RealRange& range) {
  const auto value = parse_real(text);
  if (value && is_inside(*value, range)) return *value;
  throw CLI::ValidationError(name, fmt::format("expected {}, got '{}'", range.expected, text));
}

std::uint64_t checked_unsigned(const std::string& name, const std::string& text) {
  const auto value = parse_unsigned(text);
  if (value) return *value;
  throw CLI::ValidationError(name,
                             fmt::format("expected a whole number from 0 to {}, got '{}'", UINT64_MAX, text));
}

std::vector<std::int64_t> checked_list(const std::string& name, const std::string& text, std::int64_t low,
                                       std::int64_t high) {
  return distinct_items<std::int64_t>(text, [&](const std::string& item) {
    const auto value = parse_integer(item, low, high);
    if (value) return *value;
    throw CLI::ValidationError(
        name,
        fmt::format("expected whole numbers from {} to {} with commas between, got '{}'", low, high, text));
  });
}

std::vector<double> checked_real_list(const std::string& name, const std::string& text,
                                      const RealRange& range) {
  return distinct_items<double>(text, [&](const std::string& item) {
    const auto value = parse_real(item);
    if (value && is_inside(*value, range)) return *value;
    throw CLI::ValidationError(
        name, fmt::format("expected with commas between: {}; got '{}'", range.expected, text));
  });
}

std::vector<std::string> checked_names(const std::string& name, const std::string& text) {
  return distinct_items<std::string>(text, [&](const std::string& item) {
    if (!item.empty()) return item;
    throw CLI::ValidationError(name, fmt::format("expected names with commas between, got '{}'", text));
  });
}

}  // namespace detail

CLI::Option* add_integer_list(CLI::App& command, const std::string& name, std::vector<std::int32_t>& target,
                              std::int64_t low, std::int64_t high, const std::string& description) {
  return command
      .add_option_function<std::string>(
          name,
          [&target, name, low, high](const std::string& text) {
            const auto values = detail::checked_list(name, text, low, high);
            target.assign(values.begin(), values.end());
          },
          description)
      ->type_name("N,N,...");
}

CLI::Option* add_real_list(CLI::App& command, const std::string& name, std::vector<double>& target,
                           const RealRange& range, const std::string& description) {
  return command
      .add_option_function<std::string>(
          name,
          [&target, name, range](const std::string& text) {
            target = detail::checked_real_list(name, text, range);
          },
          description)
      ->type_name("X,X,...");
}

}  // namespace app
