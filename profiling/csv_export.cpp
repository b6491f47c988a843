// `dmscope export --csv`: one file per public table.
#include <fstream>

#include "profiling/read_transaction.hpp"
#include "profiling/result_writer.hpp"
#include "profiling/trace_access.hpp"
#include "profiling/trace_tools.hpp"
#include "profiling/virtual_tables.hpp"

namespace profiling {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExported[] = {"meta",       "sequences", "tokens",    "steps",     "kv_reads",
                                     "gates",      "decisions", "evictions", "occupancy", "kernels",
                                     "parameters", "quality",   "notices",   "drops",     "kernel_speeds",
                                     "tracks",     "counters"};

// The folder is created; one that holds anything is refused, so that no file of the user's is overwritten.
engine::Status make_folder(const fs::path& folder) {
  std::error_code error;
  if (folder.empty()) return engine::bad_input("folder '': expected a name");
  if (fs::exists(folder, error) && !fs::is_directory(folder, error)) {
    return engine::bad_input("folder '{}': exists and is not a folder", folder.string());
  }
  if (fs::is_directory(folder, error)) {
    const bool empty = fs::is_empty(folder, error);
    if (error) return engine::bad_input("folder '{}': {}", folder.string(), error.message());
    if (!empty)
      return engine::bad_input("folder '{}': not empty, expected a new or empty one", folder.string());
    return {};
  }
  fs::create_directories(folder, error);
  if (error)
    return engine::bad_input("folder '{}': cannot be created ({})", folder.string(), error.message());
  return {};
}

engine::Status export_table(const Database& db, const char* table, const fs::path& file) {
  std::ofstream out(file, std::ios::binary);
  Statement rows = db.prepare(fmt::format("SELECT * FROM {}", table));
  const auto status = write_csv(rows, out, {});
  if (status || !rows.status()) return status;
  return engine::failed("'{}': cannot be written (is the disk full?)", file.string());
}

}  // namespace

engine::Status export_csv(const fs::path& trace, const fs::path& folder) {
  const auto reader = TraceReader::open(trace);
  if (!reader) return reader.error();
  const Database& db = TraceAccess::database(**reader);
  const ReadTransaction transaction(db);
  if (!transaction.status()) return transaction.status();
  if (auto status = create_temp_tables(db, (*reader)->run()); !status) return status;
  if (auto status = make_folder(folder); !status) return status;
  for (const char* table : kExported) {
    if (auto status = export_table(db, table, folder / fmt::format("{}.csv", table)); !status) return status;
  }
  return {};
}

}  // namespace profiling
