using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MLNet.PQCompression.Numerics;

/// <summary>The vector width that a kernel is written for.</summary>
internal enum SimdLevel
{
    /// <summary>128-bit vectors, on every machine: SSE, AdvSimd, or the runtime's own fallback.</summary>
    Vector128,

    /// <summary>256-bit vectors: AVX2 with FMA.</summary>
    Vector256,

    /// <summary>512-bit vectors: AVX-512F.</summary>
    Vector512,
}

/// <summary>Which levels the machine has. The runtime's switches DOTNET_EnableAVX512F=0 and DOTNET_EnableAVX2=0 lower it.</summary>
internal static class SimdLevels
{
    /// <summary>The widest level of this machine.</summary>
    public static SimdLevel Best =>
        Vector512.IsHardwareAccelerated && Avx512F.IsSupported ? SimdLevel.Vector512
        : Avx2.IsSupported && Fma.IsSupported ? SimdLevel.Vector256
        : SimdLevel.Vector128;

    /// <summary>The levels of this machine, narrowest first.</summary>
    public static IEnumerable<SimdLevel> Supported => Enum.GetValues<SimdLevel>().Where(level => level <= Best);
}
