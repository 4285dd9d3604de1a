using MLNet.PQCompression.Collectives;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>What the inputs and outputs of each group of a layer are summed as differences from.</summary>
/// <remarks>Sums that are to be added have the same. Where none are given to sums, their first batch sets them.</remarks>
public sealed class SumOrigins
{
    private SumOrigins(LayerGeometry geometry)
    {
        Inputs = [.. Enumerable.Range(0, geometry.Groups).Select(_ => new RowOrigin(geometry.RowLength))];
        Outputs = [.. Enumerable.Range(0, geometry.Groups).Select(_ => new RowOrigin(geometry.RowsPerGroup))];
    }

    /// <summary>Those of the inputs, by group.</summary>
    internal RowOrigin[] Inputs { get; }

    /// <summary>Those of the outputs, by group.</summary>
    internal RowOrigin[] Outputs { get; }

    /// <summary>Origins that the first batch sets.</summary>
    internal static SumOrigins Unset(LayerGeometry geometry) => new(geometry);

    /// <summary>Makes the means of a batch the origins, where there are none yet.</summary>
    internal void Set(int group, ReadOnlySpan<float> inputs, ReadOnlySpan<float> outputs)
    {
        Inputs[group].Set(inputs);
        Outputs[group].Set(outputs, Inputs[group].Scale);
    }

    /// <summary>Makes the means of a batch the origins; see <see cref="OutputStatistics.Add(Activation, Activation, int, int, WorkerPool?, int)"/>.</summary>
    internal void Set(LayerGeometry geometry, Activation input, Activation output, int positionsPerImage, int seed, WorkerPool? pool)
    {
        var sampler = new PatchSampler(geometry, input, positionsPerImage, seed);
        var (x, y) = (new float[sampler.Count * geometry.RowLength], new float[sampler.Count * geometry.RowsPerGroup]);
        for (int g = 0; g < geometry.Groups; g++)
        {
            sampler.GatherInputs(g, x, pool);
            sampler.GatherOutputs(output, g, y, pool);
            Set(g, x, y);
        }
    }

    /// <summary>Gives all ranks the origins of one.</summary>
    internal void Share(ICollective ranks, int from)
    {
        foreach (RowOrigin origin in (RowOrigin[])[.. Inputs, .. Outputs])
            origin.Share(ranks, from);
    }
}
