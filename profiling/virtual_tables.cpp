#include "profiling/virtual_tables.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <new>
#include <string>

#include "profiling/schema.hpp"
#include "profiling/table_cursor.hpp"

namespace profiling {
namespace {

constexpr int kMostColumns = 6;
// Rows of an unconstrained scan, for the planner: each constrained column divides it by ten.
constexpr double kScanRows = 1e7;

constexpr ComputedTable kTables[] = {
    {"gates", "sequence INTEGER, layer INTEGER, kv_head INTEGER, position INTEGER, logit REAL", 5,
     gates_cursor},
    {"decisions", "sequence INTEGER, layer INTEGER, kv_head INTEGER, position INTEGER, marked INTEGER", 5,
     decisions_cursor},
    {"evictions",
     "sequence INTEGER, layer INTEGER, kv_head INTEGER, position INTEGER, decided_step INTEGER, evicted_step "
     "INTEGER",
     6, evictions_cursor},
    {"occupancy",
     "step INTEGER, sequence INTEGER, layer INTEGER, kv_head INTEGER, live INTEGER, allocated INTEGER", 6,
     occupancy_cursor},
};

struct Module {
  const ComputedTable* table;
  TableContext context;
};

struct Table : sqlite3_vtab {
  const Module* module = nullptr;
};

struct Cursor : sqlite3_vtab_cursor {
  std::unique_ptr<TableCursor> rows;
  sqlite3_int64 row = 0;
};

int report(sqlite3_vtab* table, const engine::Status& status) {
  if (status) return SQLITE_OK;
  sqlite3_free(table->zErrMsg);
  table->zErrMsg = sqlite3_mprintf("%s", status.error().message.c_str());
  return status.error().code == engine::ErrorCode::bad_input ? SQLITE_CORRUPT_VTAB : SQLITE_ERROR;
}

// SQLite calls us through C: no exception may leave.
template <typename Body>
int guarded(Body body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  } catch (...) {
    return SQLITE_ERROR;
  }
}

int connect(sqlite3* db, void* context, int, const char* const*, sqlite3_vtab** table, char**) {
  return guarded([&] {
    const auto* module = static_cast<const Module*>(context);
    const std::string sql = std::string("CREATE TABLE x(") + module->table->columns + ")";
    const int code = sqlite3_declare_vtab(db, sql.c_str());
    if (code != SQLITE_OK) return code;
    sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
    auto created = std::make_unique<Table>();
    created->module = module;
    *table = created.release();
    return SQLITE_OK;
  });
}

int disconnect(sqlite3_vtab* table) {
  delete static_cast<Table*>(table);
  return SQLITE_OK;
}

// The plan's string is one (column, operator) pair of letters per argument.
int best_index(sqlite3_vtab* table, sqlite3_index_info* info) {
  const int columns = static_cast<Table*>(table)->module->table->column_count;
  std::string plan;
  double rows = kScanRows;
  for (int i = 0; i < info->nConstraint; ++i) {
    const auto& constraint = info->aConstraint[i];
    if (constraint.usable == 0 || constraint.iColumn < 0 || constraint.iColumn >= columns) continue;
    char op = 0;
    if (constraint.op == SQLITE_INDEX_CONSTRAINT_EQ) op = '=';
    if (constraint.op == SQLITE_INDEX_CONSTRAINT_GT || constraint.op == SQLITE_INDEX_CONSTRAINT_GE) op = '>';
    if (constraint.op == SQLITE_INDEX_CONSTRAINT_LT || constraint.op == SQLITE_INDEX_CONSTRAINT_LE) op = '<';
    if (op == 0) continue;
    plan += static_cast<char>('a' + constraint.iColumn);
    plan += op;
    info->aConstraintUsage[i].argvIndex = static_cast<int>(plan.size() / 2);
    rows /= op == '=' ? 10 : 3;
  }
  info->estimatedCost = rows;
  info->estimatedRows = static_cast<sqlite3_int64>(std::max(rows, 1.0));
  info->idxStr = sqlite3_mprintf("%s", plan.c_str());
  info->needToFreeIdxStr = 1;
  return info->idxStr == nullptr ? SQLITE_NOMEM : SQLITE_OK;
}

int open_cursor(sqlite3_vtab* table, sqlite3_vtab_cursor** cursor) {
  return guarded([&] {
    const Module& module = *static_cast<Table*>(table)->module;
    auto created = std::make_unique<Cursor>();
    created->rows = module.table->cursor(module.context);
    *cursor = created.release();
    return SQLITE_OK;
  });
}

int close_cursor(sqlite3_vtab_cursor* cursor) {
  delete static_cast<Cursor*>(cursor);
  return SQLITE_OK;
}

void narrow(ColumnRange& range, char op, sqlite3_value* value) {
  const int type = sqlite3_value_type(value);
  if (type != SQLITE_INTEGER && type != SQLITE_FLOAT) return;
  std::int64_t low = 0, high = 0;
  if (type == SQLITE_INTEGER) {
    low = high = sqlite3_value_int64(value);
  } else {
    const double number = sqlite3_value_double(value);
    if (!(std::abs(number) < 1e18)) return;
    low = static_cast<std::int64_t>(std::floor(number));
    high = static_cast<std::int64_t>(std::ceil(number));
  }
  if (op != '<') range.low = std::max(range.low, low);
  if (op != '>') range.high = std::min(range.high, high);
}

int filter(sqlite3_vtab_cursor* cursor, int, const char* plan, int arguments, sqlite3_value** values) {
  return guarded([&] {
    std::array<ColumnRange, kMostColumns> ranges;
    for (int i = 0; i < arguments; ++i) {
      narrow(ranges[static_cast<std::size_t>(plan[2 * i] - 'a')], plan[2 * i + 1], values[i]);
    }
    auto* self = static_cast<Cursor*>(cursor);
    self->row = 0;
    return report(cursor->pVtab, self->rows->start(ranges));
  });
}

int next_row(sqlite3_vtab_cursor* cursor) {
  return guarded([&] {
    auto* self = static_cast<Cursor*>(cursor);
    ++self->row;
    return report(cursor->pVtab, self->rows->next());
  });
}

int at_end(sqlite3_vtab_cursor* cursor) {
  return static_cast<Cursor*>(cursor)->rows->at_end() ? 1 : 0;
}

int column(sqlite3_vtab_cursor* cursor, sqlite3_context* out, int index) {
  static_cast<Cursor*>(cursor)->rows->column(index, out);
  return SQLITE_OK;
}

int row_id(sqlite3_vtab_cursor* cursor, sqlite3_int64* row) {
  *row = static_cast<Cursor*>(cursor)->row;
  return SQLITE_OK;
}

sqlite3_module make_module() {
  sqlite3_module module{};
  module.xCreate = connect;
  module.xConnect = connect;
  module.xBestIndex = best_index;
  module.xDisconnect = disconnect;
  module.xDestroy = disconnect;
  module.xOpen = open_cursor;
  module.xClose = close_cursor;
  module.xFilter = filter;
  module.xNext = next_row;
  module.xEof = at_end;
  module.xColumn = column;
  module.xRowid = row_id;
  return module;
}

}  // namespace

engine::Status create_temp_tables(const Database& db, const engine::RunStarted& run) {
  static const sqlite3_module module = make_module();
  for (const ComputedTable& table : kTables) {
    const std::string name = std::string("dmscope_") + table.name;
    auto* context = new Module{&table, {db, run}};
    sqlite3_create_module_v2(db.handle(), name.c_str(), &module, context,
                             [](void* owned) { delete static_cast<Module*>(owned); });
    auto status = db.exec(fmt::format("CREATE VIRTUAL TABLE temp.{} USING {}", table.name, name));
    if (!status) return status;
  }
  for (const SchemaView& view : public_views()) {
    const bool computed = std::any_of(std::begin(kTables), std::end(kTables),
                                      [&](const ComputedTable& table) { return view.name == table.name; });
    if (computed) continue;
    if (auto status = db.exec(view.create(true)); !status) return status;
  }
  return {};
}

}  // namespace profiling
