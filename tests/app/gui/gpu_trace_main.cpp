// make_gpu_trace PATH [detailed|light|events|off]: a made-up run of a GPU, to look at the window without one.
#include <cstdio>
#include <string_view>

#include "tests/app/support/gpu_run.hpp"

int main(int count, char** arguments) {
  using Profile = support::GpuRunOptions::Profile;
  if (count < 2) {
    std::printf("usage: make_gpu_trace PATH [detailed|light|events|off]\n");
    return 2;
  }
  const std::string_view mode = count > 2 ? arguments[2] : "detailed";
  support::GpuRunOptions options;
  options.profile = mode == "light"    ? Profile::light
                    : mode == "events" ? Profile::events
                    : mode == "off"    ? Profile::off
                                       : Profile::detailed;
  options.layers = 36;
  options.kv_heads = 8;
  options.prompt_tokens = 1024;
  options.prefill_chunk = 512;
  options.decode_steps = 400;
  options.window = 256;
  options.counter_period_ns = 100'000'000;
  const auto status = support::write_gpu_trace(arguments[1], options);
  if (!status) std::printf("%s\n", status.error().message.c_str());
  return status ? 0 : 1;
}
