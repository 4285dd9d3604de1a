using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <content>The values of the plan: where each lies, in which layouts, and what rearranges one.</content>
internal sealed partial class PlanBuilder<TTile, TVector>
    where TTile : struct, IPixelTile
    where TVector : struct, IFloatVector<TVector>
{
    private TensorShape ShapeOf(string name) => _shapes[name].Shape;

    /// <summary>Whether a value can be blocked: an image, or a matrix with the batch as rows, and not a constant.</summary>
    private bool CanBlock(string name) => _graph.FindInitializer(name) is null && ShapeOf(name) is { Rank: 4 or 2 } shape && shape[0] == 1;

    private PlanValue? FindAny(string name) =>
        Find(name, ValueLayout.Blocked) ?? Find(name, ValueLayout.Planes) ?? Find(name, ValueLayout.Flat);

    private PlanValue? Find(string name, ValueLayout layout) => _values.TryGetValue(name, out PlanValue?[]? values) ? values[(int)layout] : null;

    private void Set(string name, ValueLayout layout, PlanValue value)
    {
        if (!_values.TryGetValue(name, out PlanValue?[]? values))
            _values.Add(name, values = new PlanValue?[3]);
        values[(int)layout] = value;
    }

    /// <summary>The value in a layout; a step that rearranges it is added where only another layout exists.</summary>
    private PlanValue Require(string name, ValueLayout layout)
    {
        if (Find(name, layout) is { } known)
            return known;
        PlanValue? source = Made(name);
        if (Find(name, layout) is { } made)
            return made;
        PlanValue value = Make(name, layout);
        _recipes.Add(() => new RelayoutStep(name, source, value));
        return value;
    }

    /// <summary>The one place where a value of the plan gets its size.</summary>
    private PlanValue Make(string name, ValueLayout layout)
    {
        TensorShape s = ShapeOf(name);
        bool image = s.Rank == 4 && s[0] == 1, row = s.Rank == 2 && s[0] == 1;
        var value = new PlanValue(name, layout, image || row ? s[1] : checked((int)s.Count), image ? s[2] : 1, image ? s[3] : 1);
        Set(name, layout, value);
        return value;
    }

    /// <summary>The value in some layout; one that is known by its channels only is put together.</summary>
    private PlanValue? Made(string name)
    {
        if (FindAny(name) is { } known || !_maps.TryGetValue(name, out ChannelMap? map))
            return FindAny(name);
        if (map.Whole is { } whole)
        {
            Set(name, ValueLayout.Blocked, whole);
            return whole;
        }
        PlanValue value = Make(name, ValueLayout.Blocked);
        _recipes.Add(() => new ChannelStep(name, map, value));
        return value;
    }
}
