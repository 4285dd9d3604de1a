namespace MLNet.PQCompression.Distillation.Data;

/// <summary>Derives independent seeds from one, so that any epoch or image can be drawn again without replaying those before it.</summary>
internal static class SeedSequence
{
    /// <summary>A generator for the given place.</summary>
    public static Random At(int seed, long first, long second = 0) => new((int)(Mix(Mix(Mix((ulong)(uint)seed) ^ (ulong)first) ^ (ulong)second) >> 33));

    // The finalizer of splitmix64.
    private static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
