using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using MLNet.PQCompression.Compression;
using MLNet.PQCompression.Distillation;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Tests.Compression;

/// <summary>
/// What the managed engine makes of a seed, byte for byte: a change of how the work is arranged must not change it. Other vector widths round differently and have values of their own.
/// </summary>
/// <remarks>Who changes the numerics on purpose takes the new values from the message and says so.</remarks>
public sealed class SameBytesTests
{
    private static readonly Dictionary<(SimdLevel Level, int Seed), string> Expected = new()
    {
        [(SimdLevel.Vector256, 0)] = "f8a8bef0215ef13f ff4e55b6f99afd8a 38bb1b95624abcd7",
        [(SimdLevel.Vector256, 7)] = "115d0326570d7249 63d3b15393988bfc 5ccf3c25b1aa90a8",
        [(SimdLevel.Vector128, 0)] = "08b9fd64b5080e54 2286157ce46e9551 38bb1b95624abcd7",
        [(SimdLevel.Vector128, 7)] = "df78feee1dbf3344 e4a3ee31313c0ad3 5ccf3c25b1aa90a8",
    };

    [SkippableTheory]
    [InlineData(0)]
    [InlineData(7)]
    public void A_seed_has_its_bytes(int seed)
    {
        Skip.IfNot(Expected.TryGetValue((SimdLevels.Best, seed), out string? expected), $"skipped: no bytes were recorded for {SimdLevels.Best}");
        string actual = Hash(seed);
        Assert.True(expected == actual, $"seed {seed} at {SimdLevels.Best} gives {actual}, not {expected}");
    }

    /// <summary>Every method, with views and gradient steps: whatever a backend does is in it.</summary>
    private static string Hash(int seed)
    {
        ModelGraph teacher = TestNetworks.Residual();
        var distillation = new DistillationOptions { LayerSteps = 2, Epochs = 1, BatchSize = 20, AnchorStatistics = true, TrainUncompressed = true };
        CompressionOptions[] runs =
        [
            new() { Distillation = distillation },
            new() { Method = CompressionMethod.Paper, Views = 1, ReestimateBatchNorm = true },
            new() { Method = CompressionMethod.Plain, Blocks = BlockRegime.Large },
        ];
        return string.Join(' ', runs.Select(options => Hash(ModelCompressor.Compress(teacher, new TestNetworks.Images(60), options with { Seed = seed, Threads = 2 }).Student)));
    }

    private static string Hash(ModelGraph graph)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach ((string name, Initializer initializer) in graph.Initializers.OrderBy(i => i.Key, StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(name));
            if (initializer is QuantizedTensor { Codes: var codes })
                hash.AppendData(MemoryMarshal.AsBytes<ushort>(codes.ToArray()));
            hash.AppendData(MemoryMarshal.AsBytes(initializer.ToDense().Span));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }
}
