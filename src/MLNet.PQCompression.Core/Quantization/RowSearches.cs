using System.Runtime.InteropServices;
using MLNet.PQCompression.Collectives;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Quantization;

/// <summary>What a rank is asked to do with its rows.</summary>
internal enum RowCommand
{
    /// <summary>Nothing more.</summary>
    End,

    /// <summary>Start a search from a codebook.</summary>
    Start,

    /// <summary>Forget a search.</summary>
    Drop,

    /// <summary><see cref="ICodeSearch.SetCodebook"/>.</summary>
    SetCodebook,

    /// <summary><see cref="ICodeSearch.RowMajorCodes"/>.</summary>
    Codes,

    /// <summary><see cref="ICodeSearch.AssignByPosition"/>.</summary>
    Assign,

    /// <summary><see cref="ICodeSearch.Refresh"/>.</summary>
    Refresh,

    /// <summary><see cref="ICodeSearch.Sweep"/>.</summary>
    Sweep,

    /// <summary><see cref="ICodeSearch.Perturb"/>.</summary>
    Perturb,

    /// <summary><see cref="ICodeSearch.SumQueries"/>.</summary>
    Queries,

    /// <summary><see cref="ICodeSearch.SumGradient"/>.</summary>
    Gradient,

    /// <summary><see cref="ICodeSearch.SumCurvature"/>.</summary>
    Curvature,

    /// <summary><see cref="ICodeSearch.SumImage"/>.</summary>
    Image,

    /// <summary><see cref="ICodeSearch.Step"/>.</summary>
    Step,

    /// <summary><see cref="ICodeSearch.Energy"/>.</summary>
    Energy,
}

/// <summary>
/// A layer's search, shared by rows: given the codebook, rows are independent of each other. Rank 0 decides; every rank does with its rows what it is asked to, and sums over rows are made by parts
/// of them, in one order for any number of ranks.
/// </summary>
internal sealed class RowSearches
{
    private readonly WorkParts _parts;
    private readonly IQuantizationBackend _onOneThread;
    private readonly WorkerPool? _workers;
    private readonly int _rows, _blockSize;
    private readonly List<(int Part, QuadraticObjective Objective)> _objectives = [];
    private readonly Dictionary<int, ICodeSearch[]> _searches = [];

    private RowSearches(WorkParts parts, IQuantizationBackend backend, LayerGeometry geometry, int blockSize, float[] hessian, float[] target, float[] weights)
    {
        (_parts, _workers, _rows, _blockSize) = (parts, backend.Workers, geometry.Rows, blockSize);
        _onOneThread = backend.OnOneThread ?? throw new ArgumentException("The backend has no searches that run side by side.", nameof(backend));
        int n = geometry.RowLength;
        for (int part = parts.First; part < parts.End; part++)
            if (RowsOf(part) is (var first, var end) && end > first)
                _objectives.Add((part, new(geometry with { Rows = end - first }, [hessian], target.AsSpan(first * n, (end - first) * n), weights[first..end])));
    }

    /// <summary>Whether a layer's search is shared: where it has rows for more than one part.</summary>
    public static bool AreWorthIt(WorkParts parts, IQuantizationBackend backend, LayerGeometry geometry) =>
        parts.IsShared && backend.OnOneThread is not null && geometry.Groups == 1 && geometry.Rows > QuadraticObjective.RowAlignment;

    /// <summary>Gives all ranks the objective; all call.</summary>
    /// <param name="parts">The ranks.</param>
    /// <param name="backend">Makes the searches of a part's rows.</param>
    /// <param name="geometry">The layer.</param>
    /// <param name="blockSize">d.</param>
    /// <param name="objective">The objective on rank 0; null on the others.</param>
    public static RowSearches Share(WorkParts parts, IQuantizationBackend backend, LayerGeometry geometry, int blockSize, QuadraticObjective? objective)
    {
        (int n, int rows) = (geometry.RowLength, geometry.Rows);
        float[] hessian = objective?.Hessians[0] ?? new float[n * n], target = new float[rows * n], weights = new float[rows];
        if (objective is not null)
        {
            objective.RowWeights[0].AsSpan(0, rows).CopyTo(weights);
            for (int r = 0; r < rows; r++)
                for (int i = 0; i < n; i++)
                    target[r * n + i] = objective.Targets[0][i * objective.Stride + r];
        }
        foreach (float[] array in (float[][])[hessian, target, weights])
            parts.Ranks.Broadcast(MemoryMarshal.AsBytes(array.AsSpan()), 0);
        return new(parts, backend, geometry, blockSize, hessian, target, weights);
    }

    /// <summary>Does what rank 0 asks, until it asks nothing more.</summary>
    public void Follow(CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            byte[] message = _parts.FromFirst(() => throw new InvalidOperationException("Rank 0 does not follow."));
            (RowCommand command, int id) = ((RowCommand)MemoryMarshal.Read<int>(message), MemoryMarshal.Read<int>(message.AsSpan(4)));
            if (command == RowCommand.End)
                return;
            Do(command, id, message.AsMemory(8));
        }
    }

    /// <summary>Has all ranks do something; rank 0 calls.</summary>
    /// <param name="command">What.</param>
    /// <param name="id">The search.</param>
    /// <param name="data">What it takes.</param>
    /// <returns>The sums over all rows, where it gives any.</returns>
    public double[] Lead(RowCommand command, int id, params ReadOnlySpan<byte> data)
    {
        byte[] message = new byte[8 + data.Length];
        MemoryMarshal.Write(message, (int)command);
        MemoryMarshal.Write(message.AsSpan(4), id);
        data.CopyTo(message.AsSpan(8));
        _parts.FromFirst(() => message);
        return command == RowCommand.End ? [] : Do(command, id, message.AsMemory(8));
    }

    /// <summary>The codes of all rows, [rows, m]; rank 0 calls.</summary>
    public ushort[] Codes(int id, int blocksPerRow)
    {
        Lead(RowCommand.Codes, id);
        var codes = new ushort[_rows * blocksPerRow];
        for (int part = 0; part < _parts.Count; part++)
        {
            (int first, int end) = RowsOf(part);
            Span<ushort> own = codes.AsSpan(first * blocksPerRow, (end - first) * blocksPerRow);
            if (end == first)
                continue;
            if (_parts.Owner(part) == 0)
                _searches[id][_objectives.FindIndex(o => o.Part == part)].RowMajorCodes().CopyTo(own);
            else
                _parts.Ranks.Receive(MemoryMarshal.AsBytes(own), _parts.Owner(part));
        }
        return codes;
    }

    private double[] Do(RowCommand command, int id, ReadOnlyMemory<byte> data)
    {
        switch (command)
        {
            case RowCommand.Start:
                float[] codebook = Of<float>(data.Span);
                _searches[id] = [.. _objectives.Select(o => _onOneThread.Search(o.Objective, _blockSize, codebook))];
                return [];
            case RowCommand.Drop:
                if (_searches.Remove(id, out ICodeSearch[]? dropped))
                    foreach (ICodeSearch search in dropped)
                        search.Dispose();
                return [];
            case RowCommand.Codes:
                foreach (ICodeSearch search in _parts.IsFirst ? [] : _searches[id])
                    _parts.Ranks.Send(MemoryMarshal.AsBytes(search.RowMajorCodes().AsSpan()), 0);
                return [];
            case RowCommand.SetCodebook:
                return Each(id, 0, s => Nothing(() => s.SetCodebook(Of<float>(data.Span))));
            case RowCommand.Assign:
                return Each(id, 1, s => [s.AssignByPosition()]);
            case RowCommand.Refresh:
                return Each(id, 1, s => [s.Refresh()]);
            case RowCommand.Sweep:
                return Each(id, 1, s => [s.Sweep(Of<int>(data.Span))]);
            case RowCommand.Perturb:
                // Panels of different parts are tilted by different seeds.
                return Each(id, 0, (s, part) => Nothing(() => s.Perturb(MemoryMarshal.Read<float>(data.Span), Array.ConvertAll(Of<int>(data.Span[4..]), seed => unchecked(seed + part * 7919)))));
            case RowCommand.Queries:
                return Each(id, Length(data), s => s.SumQueries());
            case RowCommand.Gradient:
                return Each(id, Length(data), s => s.SumGradient());
            case RowCommand.Curvature:
                return Each(id, Length(data), s => s.SumCurvature());
            case RowCommand.Image:
                double[] direction = Of<double>(data.Span);
                return Each(id, direction.Length, s => s.SumImage(direction));
            case RowCommand.Step:
                double[] step = Of<double>(data.Span);
                return Each(id, 0, s => Nothing(() => s.Step(step[1..], step[0])));
            case RowCommand.Energy:
                return Each(id, 1, s => [s.Energy()]);
            default:
                throw new InvalidOperationException($"Rank 0 asks for {command}.");
        }
    }

    private double[] Each(int id, int length, Func<ICodeSearch, double[]> work) => Each(id, length, (s, _) => work(s));

    /// <summary>Does something for each part of this rank's rows at once, and where it gives numbers adds those of all parts.</summary>
    private double[] Each(int id, int length, Func<ICodeSearch, int, double[]> work)
    {
        ICodeSearch[] searches = _searches[id];
        var results = new double[searches.Length][];
        _workers.RunParts(searches.Length, i => results[i] = work(searches[i], _objectives[i].Part));
        if (length == 0)
            return [];
        var sums = new PartSums<ArraySums>(_parts);
        for (int part = _parts.First; part < _parts.End; part++)
            sums.Add(part, new([], [_objectives.FindIndex(o => o.Part == part) is >= 0 and var i ? results[i] : new double[length]]));
        return sums.Finish()?.Doubles[0] ?? [];
    }

    /// <summary>The rows of a part: whole panels, as rows are worked on.</summary>
    private (int First, int End) RowsOf(int part)
    {
        const int panel = QuadraticObjective.RowAlignment;
        (int first, int end) = _parts.Range(part, (_rows + panel - 1) / panel);
        return (Math.Min(_rows, first * panel), Math.Min(_rows, end * panel));
    }

    private static double[] Nothing(Action work)
    {
        work();
        return [];
    }

    private static int Length(ReadOnlyMemory<byte> data) => MemoryMarshal.Read<int>(data.Span);

    private static T[] Of<T>(ReadOnlySpan<byte> data)
        where T : unmanaged => MemoryMarshal.Cast<byte, T>(data).ToArray();
}
