// The cells of gate_chunks and gate_tails as rows: the tables gates and decisions.
#include <algorithm>
#include <cmath>
#include <optional>

#include "profiling/gate_row.hpp"
#include "profiling/table_cursor.hpp"

namespace profiling {
namespace {

enum Column { kSequence, kLayer, kKvHead, kPosition, kValue };

std::string select_blocks(const char* table, const char* columns, const char* and_layer) {
  return fmt::format(
      "SELECT {} FROM {} WHERE sequence BETWEEN ? AND ? AND first <= ? AND first + count > ?{} ORDER BY id",
      columns, table, and_layer);
}

class GatesCursor : public TableCursor {
 public:
  GatesCursor(const TableContext& context, bool logits)
      : context_(context),
        logits_(logits),
        chunks_(context.db.prepare(
            select_blocks("gate_chunks", kGateChunkColumns, " AND layer BETWEEN ? AND ?"))),
        tails_(context.db.prepare(select_blocks("gate_tails", kGateTailColumns, ""))) {}

  engine::Status start(std::span<const ColumnRange> ranges) override {
    std::copy(ranges.begin(), ranges.begin() + kValue, ranges_);
    chunks_.reset();
    tails_.reset();
    chunks_.bind(ranges_[kSequence].low, ranges_[kSequence].high, ranges_[kPosition].high,
                 ranges_[kPosition].low, ranges_[kLayer].low, ranges_[kLayer].high);
    tails_.bind(ranges_[kSequence].low, ranges_[kSequence].high, ranges_[kPosition].high,
                ranges_[kPosition].low);
    rows_ = &chunks_;
    block_ = {};
    head_ = 0;
    at_end_ = false;
    return settle();
  }

  engine::Status next() override {
    if (++i_ < end_) return {};
    ++head_;
    return settle();
  }

  void column(int index, sqlite3_context* out) const override {
    switch (index) {
      case kSequence:
        return sqlite3_result_int64(out, block_.sequence);
      case kLayer:
        return sqlite3_result_int(out, layer());
      case kKvHead:
        return sqlite3_result_int(out, head_ % kv_heads());
      case kPosition:
        return sqlite3_result_int(out, block_.first + i_);
      default:
        break;
    }
    if (!logits_) return sqlite3_result_int(out, block_.is_marked(head_, i_) ? 1 : 0);
    const float logit = block_.logit(head_, i_);
    if (!std::isnan(logit)) sqlite3_result_double(out, static_cast<double>(logit));
  }

 private:
  std::int32_t kv_heads() const { return context_.run.shape.kv_heads; }
  std::int32_t layer() const { return block_.layer >= 0 ? block_.layer : head_ / kv_heads(); }

  engine::Status settle() {
    while (!find_in_block()) {
      const auto found = read_block();
      if (!found) return found.error();
      at_end_ = !*found;
      if (at_end_) break;
    }
    return {};
  }

  // From head_ on, the first head that is asked for, and the part of its positions that is.
  bool find_in_block() {
    for (; head_ < block_.rows; ++head_) {
      if (!ranges_[kKvHead].contains(head_ % kv_heads()) || !ranges_[kLayer].contains(layer())) continue;
      i_ = static_cast<std::int32_t>(
               std::clamp<std::int64_t>(ranges_[kPosition].low, block_.first, INT32_MAX)) -
           block_.first;
      end_ = block_.count;
      if (ranges_[kPosition].high < std::int64_t{block_.first} + block_.count) {
        end_ = static_cast<std::int32_t>(ranges_[kPosition].high - block_.first + 1);
      }
      if (i_ < end_) return true;
    }
    return false;
  }

  engine::Result<bool> read_block() {
    while (!rows_->step()) {
      if (auto status = rows_->status(); !status) return status.error();
      if (rows_ == &tails_) return false;
      rows_ = &tails_;
    }
    const auto block = gate_row(*rows_, context_.run, context_.db.trace(), logits_);
    if (!block) return block.error();
    block_ = *block;
    head_ = 0;
    return true;
  }

  TableContext context_;
  bool logits_;  // else decisions
  Statement chunks_, tails_;
  Statement* rows_ = nullptr;  // which of them is being read
  ColumnRange ranges_[kValue];
  GateRow block_;
  std::int32_t head_ = 0, i_ = 0, end_ = 0;
};

}  // namespace

std::unique_ptr<TableCursor> gates_cursor(const TableContext& context) {
  return std::make_unique<GatesCursor>(context, true);
}

std::unique_ptr<TableCursor> decisions_cursor(const TableContext& context) {
  return std::make_unique<GatesCursor>(context, false);
}

}  // namespace profiling
