using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Tests.Formats;

/// <summary>Damages files and demands that a reader either reads them or throws <see cref="InvalidModelException"/>, never anything else.</summary>
internal static class BadInput
{
    public static void Truncate(byte[] file, Action<byte[]> read, int cuts = 200)
    {
        for (int i = 0; i < cuts; i++)
        {
            int length = (int)((long)file.Length * i / cuts);
            Try(file[..length], read, $"cut to {length} of {file.Length} bytes", mustFail: true);
        }
    }

    /// <summary>Changes bytes at random places, mostly among the first <paramref name="head"/>, where structure is dense.</summary>
    public static void Corrupt(byte[] file, Action<byte[]> read, int rounds, int head)
    {
        for (int seed = 0; seed < rounds; seed++)
        {
            var random = new Random(seed);
            byte[] damaged = [.. file];
            for (int flips = random.Next(1, 6); flips > 0; flips--)
                damaged[random.Next(Math.Min(seed % 4 == 0 ? file.Length : head, file.Length))] = (byte)random.Next(256);
            Try(damaged, read, $"seed {seed}", mustFail: false);
        }
    }

    private static void Try(byte[] file, Action<byte[]> read, string what, bool mustFail)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            read(file);
            Assert.False(mustFail, $"{what}: read without complaint");
        }
        catch (InvalidModelException e)
        {
            Assert.StartsWith("damaged", e is UnsupportedOperatorException ? "damaged" : e.Message, StringComparison.Ordinal);
        }
        catch (Exception e) when (e is not Xunit.Sdk.XunitException)
        {
            Assert.Fail($"{what}: {e}");
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < 64L * file.Length + (64 << 20), $"{what}: {allocated} bytes were allocated");
    }
}
