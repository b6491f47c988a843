#include "app/commands/stats.hpp"

#include "profiling/trace_tools.hpp"

namespace app {

engine::Status run_stats(Arguments arguments, Console& console) {
  std::string trace;
  bool json = false;
  CLI::App command("A trace as numbers.", "dmscope stats");
  command.add_option("TRACE", trace, "The trace")->required();
  command.add_flag("--json", json, "As a JSON object");
  const auto parsed = parse_arguments(command, arguments, console);
  if (!parsed) return parsed.error();
  if (*parsed == Parsed::done) return {};

  const auto text = json ? profiling::stats_json(trace) : profiling::stats_text(trace);
  if (!text) return text.error();
  console.print(*text);
  return {};
}

}  // namespace app
