using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MLNet.PQCompression.Distillation.Checkpoints;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Compression;

/// <summary>The key under which work on a network is kept: what it depends on, and nothing else.</summary>
internal static class CheckpointKey
{
    /// <summary>Makes it.</summary>
    /// <param name="work">What is done.</param>
    /// <param name="model">The network.</param>
    /// <param name="batches">The images that statistics are taken from.</param>
    /// <param name="setting">What else it depends on, such as what it runs on.</param>
    /// <param name="options">How it is done.</param>
    public static string Of(string work, ModelGraph model, StoredActivation[] batches, string setting, CompressionOptions options)
    {
        using var images = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (StoredActivation batch in batches)
            images.AppendData(MemoryMarshal.AsBytes(batch.Load().Span));
        CompressionOptions described = options with { Overrides = [], CheckpointFolder = null, Backend = null, ForeignRuntime = null, Threads = options.Threads == 0 ? Environment.ProcessorCount : options.Threads };
        return CheckpointFolder.Key(work, ContentHash.Of(model), Convert.ToHexStringLower(images.GetHashAndReset()), setting, described.ToString(), string.Join('\n', options.Overrides));
    }
}
