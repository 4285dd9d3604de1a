using System.Collections.Immutable;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNet.PQCompression.Columns;

/// <summary>The columns that a detector adds: lists as long as there are objects in the row's image.</summary>
/// <param name="Boxes">Vector of Single: left, top, right, bottom of each object, in pixels of the image.</param>
/// <param name="Labels">Vector of keys whose values are the class names.</param>
/// <param name="Scores">Vector of Single.</param>
/// <param name="Masks">Vector of Byte: for each object the pixels of the image, row by row, 1 where they are its own; null where none are wanted.</param>
internal sealed record DetectionColumns(string Boxes, string Labels, string Scores, string? Masks)
{
    private const string KeyValues = "KeyValues";

    /// <summary>The names in the order of the columns.</summary>
    public IEnumerable<string> Names => Masks is null ? [Boxes, Labels, Scores] : [Boxes, Labels, Scores, Masks];

    /// <summary>A schema with the columns behind those of the input.</summary>
    public DataViewSchema AddTo(DataViewSchema input, ImmutableArray<string> classNames)
    {
        var names = new VBuffer<ReadOnlyMemory<char>>(classNames.Length, [.. classNames.Select(n => n.AsMemory())]);
        var annotations = new DataViewSchema.Annotations.Builder();
        annotations.Add(KeyValues, new VectorDataViewType(TextDataViewType.Instance, classNames.Length), (ref VBuffer<ReadOnlyMemory<char>> value) => names.CopyTo(ref value));
        var schema = new DataViewSchema.Builder();
        schema.AddColumns(input);
        schema.AddColumn(Boxes, new VectorDataViewType(NumberDataViewType.Single));
        schema.AddColumn(Labels, new VectorDataViewType(new KeyDataViewType(typeof(uint), classNames.Length)), annotations.ToAnnotations());
        schema.AddColumn(Scores, new VectorDataViewType(NumberDataViewType.Single));
        if (Masks is not null)
            schema.AddColumn(Masks, new VectorDataViewType(NumberDataViewType.Byte));
        return schema.ToSchema();
    }

    /// <summary>A schema shape with the columns in place of those of the same name.</summary>
    public SchemaShape AddTo(SchemaShape input)
    {
        // The constructor of SchemaShape.Column is not public; a custom mapping that has the columns gives their shape.
        SchemaDefinition definition = SchemaDefinition.Create(typeof(Shape));
        definition[nameof(Shape.Boxes)].ColumnName = Boxes;
        definition[nameof(Shape.Scores)].ColumnName = Scores;
        SchemaDefinition.Column labels = definition[nameof(Shape.Labels)];
        labels.ColumnName = Labels;
        labels.ColumnType = new VectorDataViewType(new KeyDataViewType(typeof(uint), 2));
        labels.AddAnnotation(KeyValues, new VBuffer<ReadOnlyMemory<char>>(2, ["0".AsMemory(), "1".AsMemory()]), new VectorDataViewType(TextDataViewType.Instance, 2));
        if (Masks is null)
            definition.Remove(definition[nameof(Shape.Masks)]);
        else
            definition[nameof(Shape.Masks)].ColumnName = Masks;
        return new MLContext().Transforms.CustomMapping<NoColumns, Shape>(static (_, _) => { }, null, null, definition).GetOutputSchema(input);
    }

    private sealed class Shape
    {
        public VBuffer<float> Boxes { get; set; }

        public VBuffer<uint> Labels { get; set; }

        public VBuffer<float> Scores { get; set; }

        public VBuffer<byte> Masks { get; set; }
    }
}
