using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>Takes rows of inputs, and the outputs that belong to them, from a layer's activations: all positions or a random part of them.</summary>
internal sealed class PatchSampler
{
    private readonly LayerGeometry _geometry;
    private readonly int _positionsPerImage;
    private readonly int[][] _positions;
    private readonly Activation _input;
    private readonly PatchExtractor? _extractor;

    /// <summary>Chooses the positions of one batch.</summary>
    /// <param name="geometry">The layer.</param>
    /// <param name="input">The layer's input, N×C×H×W or N×K.</param>
    /// <param name="positionsPerImage">How many positions of each image are taken at most.</param>
    /// <param name="seed">Seed of the choice.</param>
    public PatchSampler(LayerGeometry geometry, Activation input, int positionsPerImage, int seed)
    {
        (_geometry, _input) = (geometry, input);
        int positions = 1;
        if (geometry.Window is { } window)
        {
            _extractor = new(input.Shape[1] / geometry.Groups, input.Shape[2], input.Shape[3], window);
            positions = _extractor.Positions;
        }
        _positionsPerImage = Math.Min(positions, positionsPerImage);
        _positions = new int[input.Shape[0]][];
        var random = new Random(seed);
        int[] all = [.. Enumerable.Range(0, positions)];
        for (int i = 0; i < _positions.Length; i++)
        {
            if (_positionsPerImage < positions)
                for (int j = 0; j < _positionsPerImage; j++)
                {
                    int other = random.Next(j, positions);
                    (all[j], all[other]) = (all[other], all[j]);
                }
            _positions[i] = all[.._positionsPerImage];
            Array.Sort(_positions[i]);
        }
    }

    /// <summary>The positions chosen in each image, ascending.</summary>
    public IReadOnlyList<int[]> Positions => _positions;

    /// <summary>The rows that one call gives.</summary>
    public int Count => _positions.Length * _positionsPerImage;

    /// <summary>Gathers the inputs of a group: Count rows of n values.</summary>
    public void GatherInputs(int group, Memory<float> rows, WorkerPool? pool)
    {
        int n = _geometry.RowLength, imageLength = (int)(_input.Shape.Count / _input.Shape[0]), groupLength = imageLength / _geometry.Groups;
        pool.RunParts(_positions.Length, image =>
        {
            ReadOnlySpan<float> source = _input.Span.Slice(image * imageLength + group * groupLength, groupLength);
            Span<float> target = rows.Span.Slice(image * _positionsPerImage * n, _positionsPerImage * n);
            if (_extractor is null)
                source.CopyTo(target);
            else
                _extractor.Gather(source, _positions[image], target, n);
        });
    }

    /// <summary>Gathers the outputs of a group at the same positions: Count rows of RowsPerGroup values.</summary>
    public void GatherOutputs(Activation output, int group, Memory<float> rows, WorkerPool? pool)
    {
        int width = _geometry.RowsPerGroup, imageLength = (int)(output.Shape.Count / output.Shape[0]), plane = imageLength / _geometry.Rows;
        pool.RunParts(_positions.Length, image =>
        {
            ReadOnlySpan<float> source = output.Span.Slice(image * imageLength + group * width * plane, width * plane);
            Span<float> target = rows.Span.Slice(image * _positionsPerImage * width, _positionsPerImage * width);
            int[] positions = _positions[image];
            for (int c = 0; c < width; c++)
                for (int i = 0; i < positions.Length; i++)
                    target[i * width + c] = source[c * plane + positions[i]];
        });
    }
}
