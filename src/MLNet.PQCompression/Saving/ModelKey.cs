using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using MLNet.PQCompression.Columns;

namespace MLNet.PQCompression.Saving;

/// <summary>The constant that every row looks the network up by.</summary>
internal sealed class ModelKey
{
    /// <summary>The contract by which a loaded chain finds the mapping.</summary>
    public const string Contract = "MLNet.PQCompression.ModelKey";

    /// <summary>Always 0.</summary>
    [ColumnName(InnerColumns.Key)]
    public int Key { get; set; }
}

/// <summary>Makes the constant.</summary>
[CustomMappingFactoryAttribute(ModelKey.Contract)]
internal sealed class ModelKeyFactory : CustomMappingFactory<NoColumns, ModelKey>
{
    /// <inheritdoc/>
    public override Action<NoColumns, ModelKey> GetMapping() => static (_, key) => key.Key = 0;
}
