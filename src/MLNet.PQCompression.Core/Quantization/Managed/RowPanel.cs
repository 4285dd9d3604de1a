using System.Runtime.Intrinsics;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization.Managed;

/// <summary>
/// 64 rows of a group with their codes and their part of the gradient R, small enough to stay in cache. Rows are independent of each other given
/// the codebook, so panels are worked on in parallel.
/// </summary>
internal sealed class RowPanel
{
    private const int Lanes = NearestCodeword.Lanes;

    private readonly QuantizationState _state;
    private readonly int _group;
    private readonly int _first;
    private readonly int _rows;
    private readonly float[] _offsets;
    private readonly float[] _gradient;
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
        _gradient = new float[objective.Geometry.RowLength * Lanes];
        for (int i = 0; i < objective.Geometry.RowLength; i++)
            state.Gradients[group].AsSpan(i * objective.Stride + _first, Lanes).CopyTo(_gradient.AsSpan(i * Lanes));
        _codes = new ushort[state.BlocksPerRow * Lanes];
        for (int b = 0; b < state.BlocksPerRow; b++)
            state.Codes[group].AsSpan(b * objective.Stride + _first, Lanes).CopyTo(_codes.AsSpan(b * Lanes));
    }

    private RowPanel(RowPanel other)
    {
        (_state, _group, _first, _rows, _offsets) = (other._state, other._group, other._first, other._rows, other._offsets);
        (_gradient, _codes) = ([.. other._gradient], [.. other._codes]);
    }

    /// <summary>A copy to try moves on.</summary>
    public RowPanel Clone() => new(this);

    /// <summary>Writes codes and gradient back into the state.</summary>
    public void Store()
    {
        int stride = _state.Objective.Stride;
        for (int i = 0; i < _state.Objective.Geometry.RowLength; i++)
            _gradient.AsSpan(i * Lanes, Lanes).CopyTo(_state.Gradients[_group].AsSpan(i * stride + _first));
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
        Span<float> change = new float[d * Lanes], queries = new float[d * Lanes];
        Span<int> best = stackalloc int[Lanes];
        Span<float> scores = stackalloc float[Lanes];
        int changed = 0;
        foreach (int b in order)
        {
            Span<ushort> codes = _codes.AsSpan(b * Lanes, _rows);
            for (int r = 0; r < _rows; r++)
                for (int j = 0; j < d; j++)
                    change[j * Lanes + r] = codebook[codes[r] * d + j];
            Query(hessian.AsSpan(b * d * n + b * d), n, d, _gradient.AsSpan(b * d * Lanes, d * Lanes), change, queries);
            if (random is not null)
                Tilt(queries, _gradient.AsSpan(b * d * Lanes, d * Lanes), temperature, random);
            ReadOnlySpan<float> offsets = _offsets.AsSpan(b * k, k);
            NearestCodeword.Search(queries, d, codebook, offsets, best, scores);
            int moved = 0;
            for (int r = 0; r < _rows; r++)
            {
                float score = offsets[codes[r]];
                for (int j = 0; j < d; j++)
                    score = MathF.FusedMultiplyAdd(codebook[codes[r] * d + j], queries[j * Lanes + r], score);
                bool better = scores[r] < score;
                for (int j = 0; j < d; j++)
                    change[j * Lanes + r] = better ? codebook[best[r] * d + j] - change[j * Lanes + r] : 0;
                if (better)
                {
                    codes[r] = (ushort)best[r];
                    moved++;
                }
            }
            if (moved > 0)
                PanelUpdate.Add(SimdLevels.Best, hessian.AsSpan(b * d * n), n, d, change, _gradient);
            changed += moved;
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
                objectives[r] += (double)error * _gradient[i * Lanes + r];
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
            for (int i = r; i < _gradient.Length; i += Lanes)
                _gradient[i] = other._gradient[i];
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
