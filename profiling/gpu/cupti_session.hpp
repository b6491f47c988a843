// The process's one session with CUPTI: records of launches and of what they did, lent buffers, captured
// graphs.
//
// CUPTI has one subscriber per process, is never finalised and never closed: ending it while other threads
// launch, or starting it twice, is what breaks in it. A session therefore lives as long as the process and
// only switches what is recorded; end() is for the end of main(). Another tool that holds CUPTI (Nsight,
// cuda-gdb, compute-sanitizer) makes start() fail with its name.
//
// Order: start() before the first CUDA call; modes between steps; end() with the device idle. CUPTI's
// callbacks take buffers and note graph nodes, nothing else; none of our locks is held while CUPTI is called.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "profiling/gpu/activity_source.hpp"
#include "profiling/gpu/buffer_pool.hpp"
#include "profiling/gpu/clock_map.hpp"
#include "profiling/gpu/cupti_lib.hpp"
#include "profiling/gpu/record_reader.hpp"

namespace profiling {

class CuptiSession final : public ActivitySource {
 public:
  // Subscribes. The session is to be leaked: CUPTI may write into its buffers until the process is gone.
  static engine::Result<std::unique_ptr<CuptiSession>> start(const CuptiPaths& paths);
  ~CuptiSession() override;

  // Flushes, disables everything and unsubscribes; what CUPTI returned can still be read.
  void end();

  engine::Status set_mode(ProfileMode mode) override;
  void push(std::uint64_t id) override;
  void pop() override;
  std::optional<StreamNumber> stream_number(void* stream) override;
  GraphNodeMap& nodes() override { return nodes_; }
  void find_devices() override;
  std::vector<FoundDevice> devices() override;
  void flush(bool forced) override;
  bool read(std::vector<Activity>& out) override;
  SourceCounts counts() override;

  std::uint32_t version() const { return lib_.version(); }
  std::string path() const { return lib_.path(); }
  BufferPool& buffers() { return pool_; }

 private:
  friend struct CuptiCallbacks;  // the C functions that CUPTI calls

  explicit CuptiSession(CuptiLib lib);
  engine::Status subscribe();
  engine::Status prepare();
  engine::Status switch_kind(CUpti_ActivityKind kind, bool on);
  void switch_calls(bool on);
  void to_steady_clock(std::vector<Activity>& activities);
  void note_resource(CUpti_CallbackId id, const CUpti_ResourceData& resource);

  const CuptiLib lib_;
  const RecordReader reader_;
  CUpti_SubscriberHandle subscriber_ = nullptr;
  bool own_clock_ = false;  // records carry the steady clock's times
  ClockMap clock_;
  ClockMap realtime_;  // for records that come in it in spite of that
  BufferPool pool_;
  GraphNodeMap nodes_;
  std::vector<CUpti_ActivityKind> enabled_;

  std::mutex mutex_;
  std::vector<FoundDevice> devices_;
  SourceCounts counts_;
};

}  // namespace profiling
