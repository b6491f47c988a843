#include "profiling/gpu/attributor.hpp"

#include <algorithm>
#include <utility>

namespace profiling {
namespace {

// What ran on the device, rather than in a call or aside.
bool is_work(ActivityKind kind) {
  return kind == ActivityKind::kernel || kind == ActivityKind::copy || kind == ActivityKind::set ||
         kind == ActivityKind::graph;
}

bool is_graph(std::uint64_t scope) {
  return scope_of(scope).operation == engine::kWholeGraph;
}

bool overlap(const engine::Span& a, std::int64_t start_ns, std::int64_t end_ns) {
  return a.start_ns <= end_ns && start_ns <= a.end_ns;
}

const char* name_of(const Activity& activity) {
  if (activity.kind == ActivityKind::set) return "set memory";
  if (activity.kind == ActivityKind::graph) return "graph";
  return activity.name;
}

}  // namespace

Attributor::Attributor(const GraphNodeMap& nodes, ScopeBytes& bytes)
    : nodes_(nodes), bytes_(bytes), calls_(kCalls), order_(nodes) {}

void Attributor::start_run(std::uint64_t origin_ns, std::uint64_t since_ns) {
  origin_ns_ = origin_ns;
  since_ns_ = since_ns;
  std::fill(calls_.begin(), calls_.end(), Call{});
  waiting_.clear();
  waiting_for_.clear();
  order_.clear();
  bounded_.clear();
  unordered_ = 0;
  names_.clear();
  losses_.clear();
  attributed_ = 0;
}

void Attributor::add(const Activity& activity, std::vector<engine::Span>& out) {
  if (activity.kind == ActivityKind::scope) {
    add_scope(activity, out);
  } else {
    add_record(activity, out);
  }
  release_bounded(out);
}

void Attributor::add_record(const Activity& activity, std::vector<engine::Span>& out) {
  if (is_work(activity.kind) && !is_timed(activity)) return losses_.add(Loss::untimed, 1);
  if (activity.start_ns < since_ns_) return;
  const Waiting record{activity.correlation, activity.node, activity.kind, span_of(activity),
                       activity.kind == ActivityKind::launch && activity.value != 0};
  if (activity.kind == ActivityKind::overhead) {
    out.push_back(record.span);
    return;
  }
  Call& call = call_of(activity.correlation);
  if (activity.kind == ActivityKind::launch) {
    if (record.launches_graph) order_.heard(record.span.start_ns);
    // Another launch under the id of one that is over; its own scope is yet to come.
    if (call.shown && is_graph(call.scope) && !overlap(record.span, call.start_ns, call.end_ns)) {
      begin_anew(call);
    }
  }
  if (fits(record, call)) return emit(record, call, out);
  wait(record, out);
  if (!record.of_graph()) return;
  order_changed_ = true;
  unordered_ += record.node != 0 ? 1 : kNodesPerGraph;
  if (unordered_ >= kOrderEvery) resolve_by_order(out);
}

// A graph's record whose id is that of another call, or of a launch that has all of its records, or of one in
// whose time it does not lie, has a wrong one.
bool Attributor::fits(const Waiting& record, const Call& call) const {
  if (!call.known || call.doubtful) return false;
  if (record.launches_graph) return is_graph(call.scope);
  if (!record.of_graph()) return true;
  if (!is_graph(call.scope) || !call.shown) return false;
  if (!order_.holds(call.start_ns, record.span.start_ns, all_known_)) return false;
  if (record.node == 0) return !call.whole;
  const auto node = nodes_.find(record.node);
  return !node || call.nodes < nodes_.count(node->graph);
}

// A call whose place in the ring another one needs is forgotten: 65,536 launches have begun since.
Attributor::Call& Attributor::call_of(std::uint32_t correlation) {
  Call& call = calls_[correlation % kCalls];
  if (call.correlation != correlation) {
    check_nodes(call);
    call = {};
    call.correlation = correlation;
  }
  return call;
}

Attributor::Call& Attributor::begin_anew(Call& call) {
  check_nodes(call);
  Call fresh;
  fresh.correlation = call.correlation;
  fresh.doubtful = call.doubtful;
  return call = fresh;
}

engine::Span Attributor::span_of(const Activity& activity) {
  engine::Span span;
  span.start_ns = static_cast<std::int64_t>(activity.start_ns - origin_ns_);
  span.end_ns = static_cast<std::int64_t>(std::max(activity.start_ns, activity.end_ns) - origin_ns_);
  span.step = -1;
  span.operation = engine::kUnattributed;
  span.kernel = names_.number_of(name_of(activity));
  if (is_work(activity.kind)) {
    span.device = static_cast<std::int16_t>(activity.device);
    span.stream = static_cast<std::int32_t>(activity.stream);
    if (activity.node != 0 || activity.kind == ActivityKind::graph) {
      span.graph = static_cast<std::int32_t>(activity.graph);
    }
    if (activity.kind == ActivityKind::copy || activity.kind == ActivityKind::set) {
      span.bytes = static_cast<std::int64_t>(activity.value);
    }
  } else if (activity.kind == ActivityKind::overhead) {
    span.operation = engine::kProfilerCost;
    span.stream = engine::kProfilerLane;
  } else {
    span.stream = engine::kLaunchLane;
  }
  return span;
}

void Attributor::add_scope(const Activity& activity, std::vector<engine::Span>& out) {
  Call& call = call_of(activity.correlation);
  if (call.known && call.scope != activity.value) {
    // Another call has the same id. Where the first has not been seen yet, which is which is not known.
    call.doubtful = call.doubtful || !call.shown;
    begin_anew(call);
  }
  call.known = true;
  call.scope = activity.value;
  call.doubtful = call.doubtful || (is_graph(call.scope) && !are_one_launch(activity.correlation));
  release(activity.correlation, out);
}

// Of the calls that wait for this id's scope: a runtime call and the driver call inside it overlap.
bool Attributor::are_one_launch(std::uint32_t correlation) const {
  const Waiting* first = nullptr;
  const auto [begin, end] = waiting_for_.equal_range(correlation);
  for (auto entry = begin; entry != end; ++entry) {
    const Waiting& record = *entry->second;
    if (record.kind != ActivityKind::launch) continue;
    if (first == nullptr) first = &record;
    if (!overlap(record.span, first->span.start_ns, first->span.end_ns)) return false;
  }
  return true;
}

void Attributor::release(std::uint32_t correlation, std::vector<engine::Span>& out) {
  Call& call = calls_[correlation % kCalls];
  if (call.correlation != correlation) return;
  const auto [begin, end] = waiting_for_.equal_range(correlation);
  for (auto entry = begin; entry != end;) {
    if (!fits(*entry->second, call)) {
      ++entry;
      continue;
    }
    emit(*entry->second, call, out);
    waiting_.erase(entry->second);
    entry = waiting_for_.erase(entry);
  }
}

void Attributor::release_bounded(std::vector<engine::Span>& out) {
  while (!bounded_.empty()) {
    const std::uint32_t correlation = bounded_.back();
    bounded_.pop_back();
    release(correlation, out);
  }
}

void Attributor::show(const Waiting& record, Call& call) {
  call.shown = true;
  call.start_ns = record.span.start_ns;
  call.end_ns = record.span.end_ns;
  if (!is_graph(call.scope)) return;
  order_changed_ = true;
  order_.launched(call.start_ns, call.scope, call.correlation);
  bounded_.push_back(call.correlation);
  if (const auto before = order_.correlation_before(call.start_ns)) bounded_.push_back(*before);
}

void Attributor::emit(const Waiting& record, Call& call, std::vector<engine::Span>& out) {
  if (record.kind == ActivityKind::launch) {
    if (call.shown) {
      if (record.span.start_ns != call.start_ns) order_.forget(record.span.start_ns);
      return;
    }
    show(record, call);
  }
  engine::Span span = record.span;
  attribute_to(record, call.scope, span);
  if (record.of_graph()) order_.claim(call.start_ns);
  call.whole = call.whole || record.kind == ActivityKind::graph;
  if (record.node != 0) {
    if (const auto node = nodes_.find(record.node)) {
      ++call.nodes;
      call.graph = node->graph;
    }
  } else if (record.kind == ActivityKind::kernel || record.kind == ActivityKind::graph) {
    span.bytes = bytes_.claim(call.scope);
  }
  count(record, span);
  out.push_back(span);
}

void Attributor::count(const Waiting& record, const engine::Span& span) {
  if (!is_work(record.kind)) return;
  if (span.operation != engine::kUnattributed) {
    ++attributed_;
  } else {
    losses_.add(Loss::unattributed, 1);
  }
}

// Inside a graph the launch says which step it was, the node which operation of it.
void Attributor::attribute_to(const Waiting& record, std::uint64_t id, engine::Span& span) const {
  const LaunchScope scope = scope_of(id);
  span.step = scope.step;
  span.layer = scope.layer;
  span.operation = scope.operation;
  if (record.node == 0) return;
  span.operation = engine::kUnattributed;
  const auto node = nodes_.find(record.node);
  if (!node) return;
  span.layer = node->layer;
  span.operation = node->operation;
  if (record.kind == ActivityKind::kernel) span.bytes = node->bytes;
}

void Attributor::resolve_by_order(std::vector<engine::Span>& out) {
  unordered_ = 0;
  std::vector<LaunchOrder::Record> records;
  std::vector<WaitingList::iterator> entries;
  for (auto entry = waiting_.begin(); entry != waiting_.end(); ++entry) {
    if (!entry->of_graph()) continue;
    records.push_back({entry->span.start_ns, entry->node, entries.size()});
    entries.push_back(entry);
  }
  for (const LaunchOrder::Match& match : order_.match(std::move(records), all_known_)) {
    const auto entry = entries[match.index];
    engine::Span span = entry->span;
    attribute_to(*entry, match.scope, span);
    if (entry->kind == ActivityKind::graph) span.bytes = bytes_.claim(match.scope);
    count(*entry, span);
    out.push_back(span);
    forget(entry);
  }
}

void Attributor::forget(WaitingList::iterator entry) {
  auto waits = waiting_for_.find(entry->correlation);
  while (waits->second != entry) ++waits;
  waiting_for_.erase(waits);
  waiting_.erase(entry);
}

void Attributor::wait(const Waiting& record, std::vector<engine::Span>& out) {
  if (waiting_.size() >= kMaxWaiting) {
    const auto oldest = waiting_.begin();
    give_up(*oldest, out);
    forget(oldest);
  }
  waiting_.push_back(record);
  waiting_for_.emplace(record.correlation, std::prev(waiting_.end()));
}

// A call outside any scope is the program's own affair; work on the device is not.
void Attributor::give_up(const Waiting& record, std::vector<engine::Span>& out) {
  if (!is_work(record.kind)) return;
  losses_.add(Loss::unattributed, 1);
  out.push_back(record.span);
}

void Attributor::check_nodes(const Call& call) {
  if (call.graph == 0) return;
  losses_.add(Loss::missing_nodes, std::max<std::int64_t>(0, nodes_.count(call.graph) - call.nodes));
}

void Attributor::settle(std::vector<engine::Span>& out) {
  all_known_ = true;
  if (const auto last = order_.last_correlation()) release(*last, out);
  if (std::exchange(order_changed_, false)) resolve_by_order(out);
  all_known_ = false;
}

void Attributor::close(std::vector<engine::Span>& out) {
  settle(out);
  for (const Waiting& record : waiting_) give_up(record, out);
  waiting_.clear();
  waiting_for_.clear();
  for (Call& call : calls_) {
    check_nodes(call);
    call = {};
  }
}

}  // namespace profiling
