#include "app/commands/export.hpp"

#include "profiling/trace_tools.hpp"

namespace app {

engine::Status run_export(Arguments arguments, Console& console) {
  std::string trace;
  std::string perfetto;
  std::string csv;
  CLI::App command("A trace for other tools.", "dmscope export");
  command.add_option("TRACE", trace, "The trace")->required();
  auto* to_perfetto = command.add_option("--perfetto", perfetto, "Write trace events for ui.perfetto.dev");
  auto* to_csv = command.add_option("--csv", csv, "Write one CSV file per table into a folder");
  to_perfetto->type_name("OUT");
  to_csv->type_name("DIR");
  const auto parsed = parse_arguments(command, arguments, console);
  if (!parsed) return parsed.error();
  if (*parsed == Parsed::done) return {};

  if ((to_perfetto->count() == 0) == (to_csv->count() == 0)) {
    return engine::bad_input("--perfetto: expected exactly one of --perfetto OUT and --csv DIR");
  }
  if (to_perfetto->count() != 0) return profiling::export_perfetto(trace, perfetto);
  return profiling::export_csv(trace, csv);
}

}  // namespace app
