using System.Numerics.Tensors;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization.Managed;

/// <summary>What the least-squares codebook is made from, and how error and gradient follow it.</summary>
internal sealed class CodebookSums(QuantizationState state, WorkerPool? pool)
{
    private float[] _direction = [];
    private float[][] _decoded = [], _product = [];

    /// <summary>Σ s_o·R_b over each codeword's blocks, [k, d].</summary>
    public double[] Gradient()
    {
        var sums = new double[state.Codebook.Length];
        for (int g = 0; g < state.Codes.Length; g++)
            state.Accumulate(g, state.Gradients[g], sums);
        return sums;
    }

    /// <summary>Σ s_o·H_bb over each codeword's blocks, [k, d, d].</summary>
    public double[] Curvature()
    {
        QuadraticObjective objective = state.Objective;
        (int n, int d, int k, int stride, int rows) = (objective.Geometry.RowLength, state.BlockSize, state.Codewords, objective.Stride, objective.Geometry.RowsPerGroup);
        var sums = new double[k * d * d];
        var counts = new double[k];
        for (int g = 0; g < state.Codes.Length; g++)
            for (int b = 0; b < state.BlocksPerRow; b++)
            {
                Array.Clear(counts);
                for (int r = 0; r < rows; r++)
                    counts[state.Codes[g][b * stride + r]] += objective.RowWeights[g][r];
                for (int c = 0; c < k; c++)
                    for (int i = 0; i < d && counts[c] > 0; i++)
                        for (int j = 0; j < d; j++)
                            sums[(c * d + i) * d + j] += counts[c] * objective.Hessians[g][(b * d + i) * n + b * d + j];
            }
        return sums;
    }

    /// <summary>Σ s_o·(H·D)_b over each codeword's blocks, D being what a direction of the codebook decodes to, [k, d].</summary>
    public double[] Image(double[] direction)
    {
        if (_direction.Length == 0)
            (_direction, _decoded, _product) = (new float[direction.Length], [.. state.Errors.Select(e => new float[e.Length])], [.. state.Errors.Select(e => new float[e.Length])]);
        for (int i = 0; i < _direction.Length; i++)
            _direction[i] = (float)direction[i];
        var image = new double[direction.Length];
        for (int g = 0; g < state.Codes.Length; g++)
        {
            state.Decode(g, _direction, _decoded[g], pool);
            state.Objective.Multiply(g, _decoded[g], _product[g], pool);
            state.Accumulate(g, _product[g], image);
        }
        return image;
    }

    /// <summary>Moves codebook, E and R along the direction of the last <see cref="Image"/>.</summary>
    public void Step(double[] direction, double length)
    {
        for (int i = 0; i < direction.Length; i++)
            state.Codebook[i] += (float)(length * direction[i]);
        for (int g = 0; g < state.Codes.Length; g++)
        {
            TensorPrimitives.MultiplyAdd(_decoded[g], (float)length, state.Errors[g], state.Errors[g]);
            TensorPrimitives.MultiplyAdd(_product[g], (float)length, state.Gradients[g], state.Gradients[g]);
        }
    }

    /// <summary>Gives what the steps needed back.</summary>
    public void Release() => (_direction, _decoded, _product) = ([], [], []);
}
