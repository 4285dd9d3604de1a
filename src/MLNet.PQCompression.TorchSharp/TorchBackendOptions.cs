using System.Collections.Immutable;

namespace MLNet.PQCompression.TorchSharp;

/// <summary>Where and how a <see cref="TorchBackend"/> computes.</summary>
public sealed record TorchBackendOptions
{
    /// <summary>"cpu", "cuda" or "cuda:N"; null takes the first GPU where there is one, else the CPU.</summary>
    public string? Device { get; init; }

    /// <summary>Further devices for training, "cuda:1" and so on: each holds a replica and takes an equal part of every batch.</summary>
    public ImmutableArray<string> FurtherDevices { get; init; } = [];

    /// <summary>Threads on the host, or 0 for one for each processor.</summary>
    public int Threads { get; init; }

    /// <summary>Whether convolutions on CUDA may round their operands to TF32 (10 bits), which tensor cores need. Statistics and the search for codes never do.</summary>
    public bool AllowTensorFloat32 { get; init; } = true;

    /// <summary>Whether convolutions and linear layers are trained in bfloat16. Parameters, statistics and optimizer stay float32.</summary>
    public bool TrainInBFloat16 { get; init; }

    /// <summary>Told in words where something was done otherwise than asked: a batch halved for want of memory.</summary>
    public Action<string>? Log { get; init; }
}
