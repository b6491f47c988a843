#include "app/live/trace_source.hpp"

#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <optional>
#include <thread>

#include "app/live/file_identity.hpp"
#include "app/live/published_status.hpp"
#include "engine/events/result.hpp"
#include "profiling/trace_follower.hpp"

namespace app::live {

namespace {

using Clock = std::chrono::steady_clock;
using profiling::TraceFollower;

constexpr std::chrono::milliseconds kPeriod{50};     // a recording commits about every 100 ms
constexpr std::chrono::seconds kBeginning{2};        // a file this young may be in the making
constexpr std::chrono::milliseconds kEnding{1000};   // from the run's last event to the recording's own facts
constexpr std::chrono::milliseconds kSilence{1500};  // before it is asked who records
constexpr double kShareStep = 0.01;

bool is_young(const std::filesystem::path& path) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(path, error);
  return !error && std::filesystem::file_time_type::clock::now() - written < kBeginning;
}

}  // namespace

class TraceSource::Reader {
 public:
  Reader(std::filesystem::path file, std::shared_ptr<engine::EventSink> sink, std::function<void()> on_change)
      : path(std::move(file)),
        status(std::move(on_change)),
        sink_(std::move(sink)),
        thread_([this](const std::stop_token& stop) { work(stop); }) {}

  void cancel() { thread_.request_stop(); }

  const std::filesystem::path path;
  PublishedStatus<TraceStatus> status;

 private:
  void work(const std::stop_token& stop);
  engine::Status read(const std::stop_token& stop);
  engine::Result<std::unique_ptr<TraceFollower>> open(const std::stop_token& stop);
  engine::Result<bool> emit_new(TraceFollower& follower, const std::stop_token& stop);
  engine::Status follow(std::unique_ptr<TraceFollower> follower, const std::stop_token& stop);
  engine::Status update_cost(const TraceFollower& follower);
  engine::Status await_cost(const TraceFollower& follower, const std::stop_token& stop);
  engine::Status check_file() const;
  bool is_recorded(const TraceFollower& follower) const;
  void set(TraceState state, std::string reason = {});
  void rest(const std::stop_token& stop);

  std::shared_ptr<engine::EventSink> sink_;
  std::optional<FileIdentity> file_;
  std::mutex mutex_;
  std::condition_variable_any woken_;
  std::jthread thread_;  // last: it uses the rest
};

void TraceSource::Reader::work(const std::stop_token& stop) {
  engine::Status read_well;
  try {
    read_well = read(stop);
  } catch (const std::bad_alloc&) {
    read_well = engine::failed("trace '{}': out of memory", path.string());
  } catch (const std::exception& error) {
    read_well = engine::failed("trace '{}': {}", path.string(), error.what());
  }
  if (stop.stop_requested()) {
    set(TraceState::cancelled);
  } else if (!read_well) {
    set(TraceState::failed, read_well.error().message);
  } else {
    set(TraceState::finished);
  }
}

engine::Status TraceSource::Reader::read(const std::stop_token& stop) {
  auto follower = open(stop);
  if (!follower) return follower.error();
  file_ = identity_of(path);
  set(TraceState::replaying);
  return follow(std::move(*follower), stop);
}

// A recording that is just beginning is not a trace yet.
engine::Result<std::unique_ptr<TraceFollower>> TraceSource::Reader::open(const std::stop_token& stop) {
  const auto patience = Clock::now() + kBeginning;
  while (true) {
    auto follower = TraceFollower::open(path);
    const bool settled = follower && !(*follower)->reads_copy();
    if (settled || stop.stop_requested() || Clock::now() > patience || !is_young(path)) return follower;
    rest(stop);
  }
}

engine::Result<bool> TraceSource::Reader::emit_new(TraceFollower& follower, const std::stop_token& stop) {
  return follower.emit_new(*sink_, [&](double share) {
    const auto now = status.get();
    if (now->state == TraceState::replaying && share > now->share + kShareStep) {
      status.update([&](TraceStatus& next) { next.share = share; });
    }
    return !stop.stop_requested();
  });
}

// Lets go of the file as soon as the run has finished: the recording waits for that to end it as one file.
engine::Status TraceSource::Reader::follow(std::unique_ptr<TraceFollower> follower,
                                           const std::stop_token& stop) {
  auto newest = Clock::now();
  while (!stop.stop_requested()) {
    const bool quiet = Clock::now() - newest > kSilence;
    const bool recorded = !quiet || is_recorded(*follower);  // asked first: what comes last is not missed
    const auto portion = emit_new(*follower, stop);
    if (!portion) return portion.error();
    if (follower->finished()) return await_cost(*follower, stop);
    if (*portion) {
      if (auto read = update_cost(*follower); !read) return read;
    }
    if (auto same = check_file(); !same) return same;
    if (*portion) newest = Clock::now();
    if (recorded || *portion) {
      set(TraceState::following);
    } else {
      set(TraceState::silent, "the run has no end here: its recording was cut short");
    }
    rest(stop);
  }
  return {};
}

engine::Status TraceSource::Reader::update_cost(const TraceFollower& follower) {
  const auto cost = follower.cost();
  if (!cost) return cost.error();
  if (*cost == status.get()->cost) return {};
  status.update([&](TraceStatus& next) { next.cost = *cost; });
  return {};
}

// A recording writes what it cost last of all, soon after the run's end.
engine::Status TraceSource::Reader::await_cost(const TraceFollower& follower, const std::stop_token& stop) {
  const auto patience = Clock::now() + kEnding;
  while (true) {
    if (auto read = update_cost(follower); !read) return read;
    const bool comes = !status.get()->cost.busy_ns && follower.has_write_ahead_log();
    if (!comes || stop.stop_requested() || Clock::now() > patience) return {};
    rest(stop);
  }
}

engine::Status TraceSource::Reader::check_file() const {
  const auto now = identity_of(path);
  if (!now) return engine::failed("trace '{}': was deleted while it was open", path.string());
  if (now != file_)
    return engine::failed("trace '{}': was replaced by another file while it was open", path.string());
  return {};
}

bool TraceSource::Reader::is_recorded(const TraceFollower& follower) const {
  if (!follower.has_write_ahead_log()) return false;
  const auto index = identity_of(path.string() + "-shm");
  return index && locked_by_another_process(*index);
}

void TraceSource::Reader::set(TraceState state, std::string reason) {
  if (status.get()->state == state) return;
  status.update([&](TraceStatus& next) {
    if (next.state == TraceState::replaying && state != TraceState::failed &&
        state != TraceState::cancelled) {
      next.share = 1;
    }
    next.state = state;
    next.reason = std::move(reason);
  });
}

void TraceSource::Reader::rest(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  woken_.wait_for(lock, stop, kPeriod, [] { return false; });
}

TraceSource::TraceSource(std::filesystem::path path, std::shared_ptr<engine::EventSink> sink,
                         std::function<void()> on_change)
    : reader_(std::make_unique<Reader>(std::move(path), std::move(sink), std::move(on_change))) {}
TraceSource::~TraceSource() = default;

const std::filesystem::path& TraceSource::path() const {
  return reader_->path;
}
std::shared_ptr<const TraceStatus> TraceSource::status() const {
  return reader_->status.get();
}
void TraceSource::cancel() {
  reader_->cancel();
}

}  // namespace app::live
