#include "app/commands/sql.hpp"

#include "app/interrupt.hpp"
#include "profiling/trace_tools.hpp"

namespace app {

engine::Status run_sql(Arguments arguments, Console& console) {
  std::string trace;
  std::string query;
  bool json = false;
  CLI::App command("One read-only query over a trace. Tables: docs/trace-format.md.", "dmscope sql");
  command.add_option("TRACE", trace, "The trace")->required();
  command.add_option("QUERY", query, "The query")->required();
  command.add_flag("--json", json, "A JSON array of objects instead of CSV");
  const auto parsed = parse_arguments(command, arguments, console);
  if (!parsed) return parsed.error();
  if (*parsed == Parsed::done) return {};

  const InterruptWatch interrupt;
  auto status = profiling::run_sql(trace, query, json, console.out(), interrupt.token());
  // A reader that went away: the console knows the system's reason and reports it at the end.
  if (!status && !console.out()) return {};
  return status;
}

}  // namespace app
