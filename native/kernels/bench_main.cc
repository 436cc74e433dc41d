// edge_bench: throughput of each kernel that this CPU runs, one thread, and what it could be at
// most.
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
namespace peak {
void bench();
}
namespace row_codes {
void bench();
}
}  // namespace edge

int main() {
  edge::peak::bench();
  edge::gemm::bench();
  edge::gemm_f32::bench();
  edge::depthwise::bench();
  edge::row_codes::bench();
}
