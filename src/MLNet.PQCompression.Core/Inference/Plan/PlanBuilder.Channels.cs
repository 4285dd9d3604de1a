using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference.Kernels;

namespace MLNet.PQCompression.Inference.Plan;

/// <content>Values that are other orders of channels that exist, and are copied only when a step needs them.</content>
internal sealed partial class PlanBuilder<TTile, TVector>
    where TTile : struct, IPixelTile
    where TVector : struct, IFloatVector<TVector>
{
    /// <summary>The channels of a value that is there or known by its channels.</summary>
    private ChannelMap MapOf(string name) => FindAny(name) is null && _maps.TryGetValue(name, out ChannelMap? map) ? map : ChannelMap.Of(Require(name, ValueLayout.Blocked));

    /// <summary>Takes Concat, Slice and Gather of whole channels as what they are: other orders of channels that exist.</summary>
    private bool TryMap(Node node)
    {
        if (!IsBlockedShape(ShapeOf(node.Output)) || ShapeOf(node.Output).Rank != 4 || node.Inputs.Any(name => !CanBlock(name) || ShapeOf(name).Rank != 4))
            return false;
        int channels = ShapeOf(node.Inputs[0])[1];
        switch (node.Operator)
        {
            case Concat { Axis: 1 }:
                _maps[node.Output] = new([.. node.Inputs.SelectMany(name => MapOf(name).Channels)]);
                return true;
            case Slice { Ranges: [{ Axis: 1 } range] }:
                (int start, int count) = ShapeInference.Resolve(range, channels);
                _maps[node.Output] = MapOf(node.Inputs[0]).Pick(Enumerable.Range(0, count).Select(i => start + i * range.Step));
                return true;
            case Gather { Axis: 1, DropsAxis: false } gather:
                _maps[node.Output] = MapOf(node.Inputs[0]).Pick(gather.Indices.Select(i => i < 0 ? i + channels : i));
                return true;
            default:
                return false;
        }
    }

    /// <summary>Takes a channel shuffle, three nodes, as another order of channels.</summary>
    private bool TryShuffle(Node split)
    {
        if (!CanBlock(split.Inputs[0]) || OnlyReader(split.Output) is not { Operator: Transpose transpose } turn || OnlyReader(turn.Output) is not { Operator: Reshape } join)
            return false;
        TensorShape image = ShapeOf(split.Inputs[0]);
        int groups = ChannelMap.Groups(image, ShapeOf(split.Output), transpose, ShapeOf(join.Output));
        if (groups == 0)
            return false;
        int each = image[1] / groups;
        _maps[join.Output] = MapOf(split.Inputs[0]).Pick(Enumerable.Range(0, image[1]).Select(c => c % groups * each + c / groups));
        _fused.Add(turn.Name);
        _fused.Add(join.Name);
        return true;
    }
}
