#include "app/view/kernel_class.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

using namespace app::view;

TEST_CASE("class_of_kernel, knows the operations of both backends by their names") {
  for (const char* name :
       {"qkv", "attention_out", "o_proj_residual", "rmsnorm_qkv_gemv", "attention_out_avx2"})
    CHECK(class_of_kernel(name) == KernelClass::projection);
  for (const char* name : {"attention", "dms_attn_decode", "Attention_avx512_bf16"})
    CHECK(class_of_kernel(name) == KernelClass::attention);
  for (const char* name : {"mlp_up", "mlp_down", "rmsnorm_gate_up_silu", "down_residual"})
    CHECK(class_of_kernel(name) == KernelClass::mlp);
  for (const char* name : {"head", "lm_head_gemv", "sample", "sample_top_p", "embed", "pick"})
    CHECK(class_of_kernel(name) == KernelClass::head);
}

TEST_CASE("class_of_kernel, measuring and waiting is no part of the model, whatever else a name says") {
  for (const char* name : {"dense_shadow", "shadow_attention", "cudaStreamSynchronize", "", "x"})
    CHECK(class_of_kernel(name) == KernelClass::other);
  CHECK(name_of(KernelClass::mlp) == std::string("MLP"));
}

TEST_CASE("class_of_kernel, tells a GPU's copies, whole graphs and what is unattributed") {
  for (const char* name :
       {"transfer", "copy host to device", "copy", "set memory", "memcpy_head", "transfer_cuda"})
    CHECK(class_of_kernel(name) == KernelClass::copy);
  CHECK(class_of_kernel("graph") == KernelClass::graph);
  CHECK(class_of_kernel("graph_like") == KernelClass::other);
  CHECK(class_of_kernel("unattributed") == KernelClass::unattributed);
  CHECK(name_of(KernelClass::unattributed) == std::string("unattributed"));
}
