#include "profiling/gpu/cupti_source.hpp"

#include <mutex>
#include <optional>

#include "profiling/gpu/cupti_session.hpp"
#include "profiling/gpu/gpu_tools.hpp"

namespace profiling {
namespace {

// Leaked on purpose: CUPTI's threads use it until the process is gone.
struct Shared {
  std::mutex mutex;
  std::optional<engine::Result<CuptiSession*>> session;
};

Shared& shared() {
  static Shared* const instance = new Shared;
  return *instance;
}

engine::Result<CuptiSession*> open_session(const std::string& library, const std::string& driver) {
  Shared& state = shared();
  const std::lock_guard lock(state.mutex);
  if (!state.session) {
    auto session = CuptiSession::start({library, driver});
    if (session) {
      state.session.emplace(session->release());
    } else {
      state.session.emplace(session.error());
    }
  }
  return *state.session;
}

}  // namespace

engine::Result<ActivitySource*> cupti_source(const std::string& library, const std::string& driver) {
  const auto session = open_session(library, driver);
  if (!session) return session.error();
  return static_cast<ActivitySource*>(*session);
}

void pause_cupti_source() {
  Shared& state = shared();
  const std::lock_guard lock(state.mutex);
  if (!state.session || !*state.session) return;
  const auto ignored = (**state.session)->set_mode(ProfileMode::off);  // switching off cannot fail
  static_cast<void>(ignored);
}

void end_cupti_source() {
  Shared& state = shared();
  const std::lock_guard lock(state.mutex);
  if (state.session && *state.session) (**state.session)->end();
}

GpuTool find_cupti() {
  const auto session = open_session({}, {});
  if (!session) return {{}, {}, session.error().message};
  const std::uint32_t version = (*session)->version();
  return {
      fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100), (*session)->path(), {}};
}

}  // namespace profiling
