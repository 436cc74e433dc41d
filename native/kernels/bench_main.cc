// edge_bench: throughput of each kernel that this CPU runs, one thread.
namespace edge {
namespace depthwise {
void bench();
}
namespace gemm {
void bench();
}
namespace gemm_f32 {
void bench();
}
}  // namespace edge

int main() {
  edge::gemm::bench();
  edge::gemm_f32::bench();
  edge::depthwise::bench();
}
