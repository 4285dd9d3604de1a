using System.Runtime.Intrinsics;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization.Managed;

/// <summary>
/// 64 rows of a group with their codes and their part of the gradient R. Rows are independent of each other given the codebook, so panels are worked on in parallel.
/// </summary>
internal sealed class RowPanel
{
    private const int Lanes = NearestCodeword.Lanes;
    private const int Padding = 16;

    private readonly QuantizationState _state;
    private readonly int _group;
    private readonly int _first;
    private readonly int _rows;
    private readonly float[] _offsets;

    /// <summary>R, [Lanes][_stride]: row by row, since a move of one row's code changes the whole of its gradient.</summary>
    private readonly float[] _gradient;

    /// <summary>Distance between the gradient's rows: not the same power of two in each, which caches do not like.</summary>
    private readonly int _stride;

    private readonly ushort[] _codes;

    /// <summary>Copies a panel out of a state.</summary>
    /// <param name="state">The state, with R up to date.</param>
    /// <param name="group">The group.</param>
    /// <param name="panel">The panel of the group's rows.</param>
    /// <param name="offsets">½cᵀH_bb·c, [m][k].</param>
    public RowPanel(QuantizationState state, int group, int panel, float[] offsets)
    {
        (_state, _group, _first, _offsets) = (state, group, panel * Lanes, offsets);
        QuadraticObjective objective = state.Objective;
        _rows = Math.Min(Lanes, objective.Geometry.RowsPerGroup - _first);
        _stride = objective.Geometry.RowLength + Padding;
        _gradient = new float[_rows * _stride];
        float[] gradients = state.Gradients[group];
        for (int i = 0; i < objective.Geometry.RowLength; i++)
            for (int r = 0; r < _rows; r++)
                _gradient[r * _stride + i] = gradients[i * objective.Stride + _first + r];
        _codes = new ushort[state.BlocksPerRow * Lanes];
        for (int b = 0; b < state.BlocksPerRow; b++)
            state.Codes[group].AsSpan(b * objective.Stride + _first, Lanes).CopyTo(_codes.AsSpan(b * Lanes));
    }

    private RowPanel(RowPanel other)
    {
        (_state, _group, _first, _rows, _offsets) = (other._state, other._group, other._first, other._rows, other._offsets);
        (_gradient, _stride, _codes) = ([.. other._gradient], other._stride, [.. other._codes]);
    }

    /// <summary>A copy to try moves on.</summary>
    public RowPanel Clone() => new(this);

    /// <summary>Writes codes and gradient back into the state.</summary>
    public void Store()
    {
        int stride = _state.Objective.Stride;
        float[] gradients = _state.Gradients[_group];
        for (int i = 0; i < _state.Objective.Geometry.RowLength; i++)
            for (int r = 0; r < _rows; r++)
                gradients[i * stride + _first + r] = _gradient[r * _stride + i];
        for (int b = 0; b < _state.BlocksPerRow; b++)
            _codes.AsSpan(b * Lanes, Lanes).CopyTo(_state.Codes[_group].AsSpan(b * stride + _first));
    }

    /// <summary>
    /// Visits block positions in order and gives each row's block the codeword c that minimises ½cᵀH_bb·c + cᵀq, q = R_b − H_bb·ŵ_b: the best
    /// by the full quadratic form with all other blocks as they stand.
    /// </summary>
    /// <param name="order">Block positions.</param>
    /// <param name="temperature">0, or the size of a random tilt of each search relative to the gradient's, which lets codes leave a local minimum.</param>
    /// <param name="random">Draws the tilt.</param>
    /// <returns>The codes that changed.</returns>
    public int Sweep(ReadOnlySpan<int> order, float temperature = 0, Random? random = null)
    {
        (int n, int d, int k) = (_state.Objective.Geometry.RowLength, _state.BlockSize, _state.Codewords);
        (float[] hessian, float[] codebook) = (_state.Objective.Hessians[_group], _state.Codebook);
        Span<float> present = new float[d * Lanes], gradient = new float[d * Lanes], queries = new float[d * Lanes], changes = new float[_rows * d];
        Span<int> best = stackalloc int[Lanes], moved = stackalloc int[Lanes];
        Span<float> scores = stackalloc float[Lanes];
        int changed = 0;
        foreach (int b in order)
        {
            Span<ushort> codes = _codes.AsSpan(b * Lanes, _rows);
            for (int r = 0; r < _rows; r++)
            {
                ReadOnlySpan<float> codeword = codebook.AsSpan(codes[r] * d, d), own = _gradient.AsSpan(r * _stride + b * d, d);
                for (int j = 0; j < d; j++)
                    (present[j * Lanes + r], gradient[j * Lanes + r]) = (codeword[j], own[j]);
            }
            Query(hessian.AsSpan(b * d * n + b * d), n, d, gradient, present, queries);
            if (random is not null)
                Tilt(queries, gradient, temperature, random);
            ReadOnlySpan<float> offsets = _offsets.AsSpan(b * k, k);
            NearestCodeword.Search(queries, d, codebook, offsets, best, scores);
            int moves = 0;
            for (int r = 0; r < _rows; r++)
            {
                float score = offsets[codes[r]];
                for (int j = 0; j < d; j++)
                    score = MathF.FusedMultiplyAdd(present[j * Lanes + r], queries[j * Lanes + r], score);
                if (!(scores[r] < score))
                    continue;
                codes[r] = (ushort)best[r];
                for (int j = 0; j < d; j++)
                    changes[moves * d + j] = codebook[best[r] * d + j] - present[j * Lanes + r];
                moved[moves++] = r;
            }
            PanelUpdate.Add(SimdLevels.Best, hessian.AsSpan(b * d * n), n, d, moved[..moves], changes, _gradient, _stride);
            changed += moves;
        }
        return changed;
    }

    /// <summary>e_oᵀH·e_o of each row.</summary>
    public double[] RowObjectives()
    {
        (int d, int stride) = (_state.BlockSize, _state.Objective.Stride);
        float[] target = _state.Objective.Targets[_group];
        var objectives = new double[Lanes];
        for (int i = 0; i < _state.Objective.Geometry.RowLength; i++)
            for (int r = 0; r < _rows; r++)
            {
                float error = _state.Codebook[_codes[i / d * Lanes + r] * d + i % d] - target[i * stride + _first + r];
                objectives[r] += (double)error * _gradient[r * _stride + i];
            }
        return objectives;
    }

    /// <summary>Takes over the rows of another panel.</summary>
    /// <param name="other">The panel tried.</param>
    /// <param name="rows">Which rows.</param>
    public void Take(RowPanel other, Func<int, bool> rows)
    {
        for (int r = 0; r < _rows; r++)
        {
            if (!rows(r))
                continue;
            other._gradient.AsSpan(r * _stride, _stride).CopyTo(_gradient.AsSpan(r * _stride));
            for (int i = r; i < _codes.Length; i += Lanes)
                _codes[i] = other._codes[i];
        }
    }

    private static void Query(ReadOnlySpan<float> block, int n, int d, ReadOnlySpan<float> gradient, ReadOnlySpan<float> present, Span<float> queries)
    {
        for (int i = 0; i < d; i++)
            for (int lane = 0; lane < Lanes; lane += 16)
            {
                Vector512<float> q = Vector512.Create(gradient.Slice(i * Lanes + lane, 16));
                for (int j = 0; j < d; j++)
                    q = Vector512.FusedMultiplyAdd(Vector512.Create(-block[i * n + j]), Vector512.Create(present.Slice(j * Lanes + lane, 16)), q);
                q.CopyTo(queries.Slice(i * Lanes + lane, 16));
            }
    }

    private void Tilt(Span<float> queries, ReadOnlySpan<float> gradient, float temperature, Random random)
    {
        double square = 0;
        foreach (float r in gradient)
            square += (double)r * r;
        float size = (float)(temperature * Math.Sqrt(3 * square / (_rows * _state.BlockSize)));
        foreach (ref float q in queries)
            q += size * (2 * random.NextSingle() - 1);
    }
}
