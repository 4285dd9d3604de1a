using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization.Managed;

/// <summary>A codebook and codes under a <see cref="QuadraticObjective"/>, with the error E = Ŵ − W and the gradient R = H·E that belong to them.</summary>
internal sealed class QuantizationState
{
    /// <summary>Takes over a codebook and codes.</summary>
    /// <param name="objective">The objective.</param>
    /// <param name="blockSize">d.</param>
    /// <param name="codebook">[k, d].</param>
    /// <param name="codes">Of each group, [m][Stride].</param>
    public QuantizationState(QuadraticObjective objective, int blockSize, float[] codebook, ushort[][] codes)
    {
        (Objective, BlockSize, Codebook, Codes) = (objective, blockSize, codebook, codes);
        Errors = [.. objective.Targets.Select(t => new float[t.Length])];
        Gradients = [.. objective.Targets.Select(t => new float[t.Length])];
    }

    /// <summary>The objective.</summary>
    public QuadraticObjective Objective { get; }

    /// <summary>d.</summary>
    public int BlockSize { get; }

    /// <summary>k.</summary>
    public int Codewords => Codebook.Length / BlockSize;

    /// <summary>m.</summary>
    public int BlocksPerRow => Objective.Geometry.RowLength / BlockSize;

    /// <summary>[k, d].</summary>
    public float[] Codebook { get; }

    /// <summary>Of each group, [m][Stride].</summary>
    public ushort[][] Codes { get; }

    /// <summary>E of each group, [n][Stride].</summary>
    public float[][] Errors { get; }

    /// <summary>R = H·E of each group, [n][Stride].</summary>
    public float[][] Gradients { get; }

    /// <summary>The objective by the present E and R; rounding does not make it negative.</summary>
    public double Value => Math.Max(0, Enumerable.Range(0, Errors.Length).Sum(g => Objective.WeightedDot(g, Errors[g], Gradients[g])));

    /// <summary>Works E and R out anew from the codebook and codes, and returns the objective.</summary>
    public double Refresh(WorkerPool? pool)
    {
        for (int g = 0; g < Errors.Length; g++)
        {
            Decode(g, Codebook, Errors[g], pool);
            System.Numerics.Tensors.TensorPrimitives.Subtract(Errors[g], Objective.Targets[g], Errors[g]);
            Objective.Multiply(g, Errors[g], Gradients[g], pool);
        }
        return Value;
    }

    /// <summary>Writes the blocks that a codebook's codewords make, [n][Stride]; the padding is zero.</summary>
    public void Decode(int group, float[] codebook, float[] decoded, WorkerPool? pool)
    {
        (int stride, int rows, int d) = (Objective.Stride, Objective.Geometry.RowsPerGroup, BlockSize);
        ushort[] codes = Codes[group];
        pool.RunParts(BlocksPerRow, b =>
        {
            for (int j = 0; j < d; j++)
            {
                Span<float> row = decoded.AsSpan((b * d + j) * stride, rows);
                ReadOnlySpan<ushort> rowCodes = codes.AsSpan(b * stride, rows);
                for (int r = 0; r < row.Length; r++)
                    row[r] = codebook[rowCodes[r] * d + j];
            }
        });
    }

    /// <summary>Adds to each codeword's sum the blocks of a matrix that it stands for, each times its row's weight: the transpose of <see cref="Decode"/>.</summary>
    public void Accumulate(int group, float[] matrix, double[] sums)
    {
        (int stride, int rows, int d) = (Objective.Stride, Objective.Geometry.RowsPerGroup, BlockSize);
        float[] weights = Objective.RowWeights[group];
        for (int b = 0; b < BlocksPerRow; b++)
            for (int j = 0; j < d; j++)
            {
                ReadOnlySpan<float> row = matrix.AsSpan((b * d + j) * stride, rows);
                ReadOnlySpan<ushort> codes = Codes[group].AsSpan(b * stride, rows);
                for (int r = 0; r < row.Length; r++)
                    sums[codes[r] * d + j] += weights[r] * row[r];
            }
    }

    /// <summary>The codes as a <see cref="Graph.QuantizedTensor"/> holds them, [rows, m].</summary>
    public ushort[] RowMajorCodes()
    {
        LayerGeometry geometry = Objective.Geometry;
        int m = BlocksPerRow;
        var codes = new ushort[geometry.Rows * m];
        for (int o = 0; o < geometry.Rows; o++)
            for (int b = 0; b < m; b++)
                codes[o * m + b] = Codes[o / geometry.RowsPerGroup][b * Objective.Stride + o % geometry.RowsPerGroup];
        return codes;
    }
}
