using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MLNet.PQCompression.Collectives;
using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Compression;

/// <summary>The key under which work on a network is kept: what it depends on, and nothing else.</summary>
internal static class CheckpointKey
{
    /// <summary>Makes it; the same on all ranks.</summary>
    /// <param name="work">What is done.</param>
    /// <param name="model">The network.</param>
    /// <param name="images">The images that statistics are taken from.</param>
    /// <param name="setting">What else it depends on, such as what it runs on.</param>
    /// <param name="options">How it is done.</param>
    public static string Of(string work, ModelGraph model, CalibrationImages images, string setting, CompressionOptions options)
    {
        WorkParts parts = images.Parts;
        // Ranks, and threads of ranks, do not change what they make together.
        int threads = parts.IsShared ? 0 : options.Threads == 0 ? Environment.ProcessorCount : options.Threads;
        CompressionOptions described = options with { Overrides = [], CheckpointFolder = null, Backend = null, Collective = null, ForeignRuntime = null, Threads = threads };
        return CheckpointFolder.Key($"{work} in {parts.Count} parts", ContentHash.Of(model), Hash(images), setting, described.ToString(), string.Join('\n', options.Overrides));
    }

    /// <summary>The hash of each part's images, and of these hashes.</summary>
    private static string Hash(CalibrationImages images)
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (int part = 0; part < images.Parts.Count; part++)
        {
            using var own = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            for (int b = 0; b < images.Batches.Length; b++)
                if (images.Places[b].Part == part)
                    own.AppendData(MemoryMarshal.AsBytes(images.Batches[b].Load().Span));
            byte[] hash = own.GetHashAndReset();
            images.Parts.Ranks.Broadcast(hash, images.Parts.Owner(part));
            all.AppendData(hash);
        }
        return Convert.ToHexStringLower(all.GetHashAndReset());
    }
}
