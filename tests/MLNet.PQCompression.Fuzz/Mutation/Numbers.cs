namespace MLNet.PQCompression.Fuzz.Mutation;

/// <summary>Numbers at which arithmetic goes wrong.</summary>
internal static class Numbers
{
    private static readonly long[] Known =
    [
        0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 63, 64, 127, 128, 255, 256, 257, 1023, 4097, 11585, 32767, 32768, 46341, 65535, 65536, 1 << 20, (1 << 20) + 1,
        1 << 24, 1 << 27, (1 << 30) - 1, 1 << 30, int.MaxValue - 63, int.MaxValue - 1, int.MaxValue, 1L << 31, uint.MaxValue, 1L << 32, (1L << 32) + 1, 1L << 33,
        1L << 40, 1L << 62, long.MaxValue - 1, long.MaxValue, long.MinValue, long.MinValue + 1, int.MinValue, -1, -2, -3, -16, -128, -255, -65536,
    ];

    /// <summary>One of them, a small number, or a neighbour of <paramref name="value"/>.</summary>
    public static long Any(Random random, long value = 0) => random.Next(6) switch
    {
        0 or 1 => Known[random.Next(Known.Length)],
        2 => unchecked(value + random.Next(-3, 4)),
        3 => unchecked(value * random.Next(-1, 5)),
        4 => random.Next(1, 24),
        _ => value ^ 1L << random.Next(64),
    };
}
